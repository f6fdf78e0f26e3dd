// expect: stack error, SyntaxError or result, timeout on a slow machine, out-of-memory in a small guest
return eval('!'.repeat(1e5) + '1')
