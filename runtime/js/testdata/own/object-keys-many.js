// expect: result, error or out-of-memory, timeout on a slow machine
const o = {}; for (let i = 0; i < 3e5; i++) o['k' + i] = i; return Object.keys(o).length
