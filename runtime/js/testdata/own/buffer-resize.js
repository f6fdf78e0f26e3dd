// expect: result or error, timeout on a slow machine, out-of-memory in a small guest
const b = new ArrayBuffer(8, { maxByteLength: 1 << 24 }); const u = new Uint8Array(b); for (let i = 0; i < 100; i++) { b.resize((i * 7919) & 0xfffff); u[i] = 1 } return u.length
