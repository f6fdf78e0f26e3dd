// expect: stack error, timeout on a slow machine, out-of-memory in a small guest
const a = []; a.push(a); return a.flat(Infinity)
