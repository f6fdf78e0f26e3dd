// expect: timeout or result or SyntaxError
return /^(?:[\p{L}--[a-z]]|\p{L})*[^x]$/v.test('a'.repeat(5e4) + '\u{1F600}') || /(?:\p{L}+)+$/u.test('\u00e9'.repeat(40) + '!')
