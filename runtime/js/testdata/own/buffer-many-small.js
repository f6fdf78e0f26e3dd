// expect: out-of-memory or timeout
const k = []; for (;;) k.push(new ArrayBuffer(1))
