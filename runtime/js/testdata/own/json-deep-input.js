// expect: result or error, timeout on a slow machine, out-of-memory in a small guest
let o = 1; for (let i = 0; i < 50000; i++) o = { o }; return JSON.stringify(o).length
