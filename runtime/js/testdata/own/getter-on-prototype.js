// expect: result, timeout on a slow machine, out-of-memory in a small guest
Object.defineProperty(Object.prototype, 'then', { get() { return undefined }, configurable: true }); return { a: 1 }
