// expect: result or error or out-of-memory or timeout
const a = [1, 2, 3]; let n = 0; a.length = { valueOf() { n++; a.length = 0; return 4294967295 } }; a.fill(1); return n
