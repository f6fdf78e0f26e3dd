// expect: result, timeout on a slow machine, out-of-memory in a small guest
const w = []; for (let i = 0; i < 5e4; i++) w.push(new WeakRef({ i })); return w.length
