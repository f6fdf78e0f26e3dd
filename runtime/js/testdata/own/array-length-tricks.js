// expect: result or RangeError or out-of-memory or timeout
const a = []; a.length = 4294967295; a[4294967294] = 1; let n = 0; for (const x of a.keys()) { n += x } return [n, a.map(x => x).length]
