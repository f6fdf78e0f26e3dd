// expect: result or error or RangeError or timeout or out-of-memory
let o = 1; for (let i = 0; i < 3e5; i++) o = i % 2 ? [o] : { o }; return o
