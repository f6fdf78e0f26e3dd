// expect: error, out-of-memory or timeout
let s = 'xx'; for (;;) s = s.replace(/x/g, 'xx')
