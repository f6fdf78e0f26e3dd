// expect: result or SyntaxError or error or out-of-memory or timeout
const f = new Function('let n = 0;' + 'n = n * 31 + 7 | 0;'.repeat(2e5) + 'return n'); return f()
