// expect: TypeError or result, timeout on a slow machine, out-of-memory in a small guest
const b = new ArrayBuffer(1e6); const u = new Uint8Array(b); b.transfer(10); return u[5] ?? null
