// expect: result or timeout or out-of-memory
return [...'x'.repeat(3e5).matchAll(/(?:)/g)].length
