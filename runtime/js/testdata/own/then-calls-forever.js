// expect: timeout, out-of-memory in a small guest
const o = { then(f) { f(o) } }; return o
