// expect: timeout or out-of-memory
return Iterator.from({ next: () => ({ value: 1, done: false }), [Symbol.iterator]() { return this } }).flatMap(x => [x, x]).map(x => x + 1).filter(() => false).next()
