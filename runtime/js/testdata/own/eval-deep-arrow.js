// expect: stack error, SyntaxError or result, timeout on a slow machine, out-of-memory in a small guest
return typeof eval('a=>'.repeat(5e4) + '1')
