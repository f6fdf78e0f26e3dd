// expect: timeout or result
return /^((((a*)*)*)*)*$/.test('a'.repeat(40) + 'b')
