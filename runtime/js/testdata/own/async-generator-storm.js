// expect: timeout, out-of-memory in a small guest
async function* g() { for (;;) yield 1 } let n = 0; for await (const x of g()) n++
