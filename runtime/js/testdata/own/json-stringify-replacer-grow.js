// expect: out-of-memory or timeout or error or RangeError
return JSON.stringify({ a: 1 }, (k, v) => ({ a: v, b: [v, v] }))
