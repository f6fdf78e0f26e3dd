// expect: timeout or out-of-memory or error or RangeError
let n = 0; const f = () => ({ toJSON() { n++; return [f(), f()] } }); return f()
