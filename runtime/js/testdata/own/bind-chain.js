// expect: result or out-of-memory or timeout or RangeError or error
let f = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(null, i); return f()
