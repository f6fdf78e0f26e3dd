// expect: result or error or timeout or out-of-memory
return new Proxy({}, { ownKeys: () => Array.from({ length: 1e5 }, (_, i) => 'k' + i), getOwnPropertyDescriptor: (t, k) => ({ value: k, enumerable: true, configurable: true }), get: () => new Array(1e3).fill('v') })
