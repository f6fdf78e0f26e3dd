// expect: stack error, timeout on a slow machine, out-of-memory in a small guest
const h = { get(t, k, r) { return r[k] } }; return new Proxy({}, h).x
