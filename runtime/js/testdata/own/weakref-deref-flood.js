// expect: out-of-memory or timeout
const refs = []; for (;;) refs.push(new WeakRef({ x: 1 }))
