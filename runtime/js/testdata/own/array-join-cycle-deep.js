// expect: error, result or out-of-memory, timeout on a slow machine
let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a.join().length
