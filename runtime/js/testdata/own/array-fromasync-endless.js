// expect: out-of-memory or timeout
async function* g() { for (;;) yield 'x'.repeat(100) } return await Array.fromAsync(g())
