// expect: SyntaxError or error or result or out-of-memory or timeout
return new Function(...Array.from({ length: 60000 }, (_, i) => 'a' + i), 'return arguments.length')(1)
