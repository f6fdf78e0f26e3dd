// expect: error or timeout or RangeError or out-of-memory
const f = () => ({ toJSON: () => ({ next: f() }) }); return f()
