// expect: result, error or timeout, out-of-memory in a small guest
console.log(new Proxy({}, { ownKeys() { for (;;); } })); return 1
