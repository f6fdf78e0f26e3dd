// expect: SyntaxError, stack error or result, timeout on a slow machine, out-of-memory in a small guest
return new RegExp('('.repeat(1e5) + ')'.repeat(1e5)).test('')
