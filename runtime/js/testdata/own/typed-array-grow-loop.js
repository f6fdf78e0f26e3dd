// expect: out-of-memory or timeout or RangeError or error
const b = new ArrayBuffer(8, { maxByteLength: 2 ** 30 }); const v = new Uint8Array(b); for (let n = 8; ; n *= 2) { b.resize(Math.min(n, 2 ** 30)); v.fill(1) }
