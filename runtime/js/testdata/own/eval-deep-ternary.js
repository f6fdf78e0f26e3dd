// expect: stack error, SyntaxError, out-of-memory or result, timeout on a slow machine
return eval('1?'.repeat(1e5) + '1' + ':1'.repeat(1e5))
