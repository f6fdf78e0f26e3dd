// expect: result, timeout on a slow machine, out-of-memory in a small guest
console.log(Array(1e6).fill(1)); return 1
