// expect: timeout or error, out-of-memory in a small guest
return Array.prototype.sort.call(new Proxy({ length: 2 ** 31 }, { get: (t, k) => k === 'length' ? 2 ** 31 : 1, has: () => true, set: () => true }))
