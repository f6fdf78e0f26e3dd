// expect: timeout, out-of-memory in a small guest
const r = /(?:)/y; for (;;) { r.lastIndex = 0; r.exec('') }
