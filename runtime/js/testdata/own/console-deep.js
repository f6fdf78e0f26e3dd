// expect: result, timeout on a slow machine, out-of-memory in a small guest
let o = {}; for (let i = 0; i < 1e4; i++) o = { o }; console.log(o); return 1
