// expect: stack error, SyntaxError or result, timeout on a slow machine, out-of-memory in a small guest
return typeof eval('(class{static x='.repeat(2e4) + '1' + '})'.repeat(2e4))
