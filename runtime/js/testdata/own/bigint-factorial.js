// expect: timeout or error, out-of-memory in a small guest
let x = 1n; for (let i = 1n; ; i++) x *= i
