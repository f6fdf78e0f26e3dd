// expect: result, error or out-of-memory, timeout on a slow machine
return new RegExp('a|'.repeat(5e5)).test('b')
