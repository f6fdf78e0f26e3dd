// expect: timeout or result, out-of-memory in a small guest
return /(?<=(a|aa)+)b/.test('a'.repeat(5000) + 'c')
