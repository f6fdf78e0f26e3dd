// expect: out-of-memory or timeout or RangeError
let f = () => 1; for (;;) f = new Function('return ' + JSON.stringify(f.toString() + f.toString()))
