// expect: out-of-memory or timeout
const keep = []; for (;;) { const b = new ArrayBuffer(8); for (let i = 0; i < 100; i++) keep.push(new DataView(b)) }
