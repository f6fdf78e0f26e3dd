// expect: timeout, out-of-memory in a small guest
const f = () => setTimeout(f, 0); f(); return new Promise(() => {})
