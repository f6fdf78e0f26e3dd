// expect: timeout
const it = { [Symbol.asyncIterator]() { return { next: async () => ({ value: 1, done: false }), return: async () => { for (;;); } } } }; for await (const x of it) break; return 1
