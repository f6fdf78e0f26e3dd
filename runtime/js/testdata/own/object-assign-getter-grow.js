// expect: out-of-memory or timeout
const src = {}; for (let i = 0; i < 1000; i++) Object.defineProperty(src, 'k' + i, { enumerable: true, get() { return 'x'.repeat(1e5) + Math.random() } }); const keep = []; for (;;) keep.push(Object.assign({}, src))
