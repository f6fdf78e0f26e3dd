// expect: result, timeout on a slow machine, out-of-memory in a small guest
let s = ''; for (let i = 0; i < 1e4; i++) s = (i / 7).toFixed(100); return s.length
