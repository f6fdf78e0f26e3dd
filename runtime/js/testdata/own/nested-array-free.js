// expect: result, timeout on a slow machine, out-of-memory in a small guest
let l = []; for (let i = 0; i < 1e5; i++) l = [l]; l = null; return 1
