// expect: result, error or timeout, out-of-memory in a small guest
const a = new Uint8Array(8e6); for (let i = 0; i < 2000; i++) a.set(a.subarray(1)); return a.length
