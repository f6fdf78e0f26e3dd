// expect: stack error, SyntaxError or result, timeout on a slow machine, out-of-memory in a small guest
return eval('`${'.repeat(5e4) + '1' + '}`'.repeat(5e4))
