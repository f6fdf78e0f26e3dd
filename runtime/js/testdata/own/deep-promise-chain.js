// expect: result, timeout on a slow machine, out-of-memory in a small guest
let p = Promise.resolve(0); for (let i = 0; i < 20000; i++) p = p.then(n => n + 1); return p
