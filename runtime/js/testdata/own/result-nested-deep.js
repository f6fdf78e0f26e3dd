// expect: result or error, timeout on a slow machine, out-of-memory in a small guest
let o = []; for (let i = 0; i < 1e5; i++) o = [o]; return o
