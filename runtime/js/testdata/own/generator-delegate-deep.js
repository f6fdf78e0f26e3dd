// expect: result or error or timeout or out-of-memory
function* g(n) { if (n > 0) yield* g(n - 1); yield n } let n = 0; for (const x of g(1e5)) n += x; return n
