// expect: error or result, timeout on a slow machine, out-of-memory in a small guest
function* g() { try { yield } finally { yield* g() } } const i = g(); i.next(); return i.return()
