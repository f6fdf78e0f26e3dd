// expect: error, timeout on a slow machine, out-of-memory in a small guest
throw Object.defineProperty(new Error('x'), 'name', { get() { throw 1 } })
