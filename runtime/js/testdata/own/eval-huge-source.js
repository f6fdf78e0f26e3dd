// expect: result, error or out-of-memory, timeout on a slow machine
return eval('1' + '+1'.repeat(5e5))
