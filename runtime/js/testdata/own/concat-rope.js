// expect: result, error or out-of-memory, timeout on a slow machine
let s = ''; for (let i = 0; i < 1e6; i++) s = 'ab' + s + 'cd'; return s.length
