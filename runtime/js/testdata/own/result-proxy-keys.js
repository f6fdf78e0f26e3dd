// expect: timeout, error or out-of-memory
return new Proxy({}, { ownKeys: () => Array(1e6).fill(0).map((_, i) => 'k' + i), getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }) })
