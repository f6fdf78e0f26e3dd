// expect: result or out-of-memory or timeout
const m = new WeakMap(); let k = {}; const first = k; for (let i = 0; i < 3e5; i++) { const next = {}; m.set(k, next); k = next } return m.has(first)
