// expect: timeout, error or result, out-of-memory in a small guest
return new RegExp('((a{1,100}){1,100}){1,100}b').test('a'.repeat(3000))
