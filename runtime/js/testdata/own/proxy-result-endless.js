// expect: timeout or error or RangeError or out-of-memory
const deep = () => new Proxy({}, { ownKeys: () => ['a'], getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }), get: (t, k) => k === 'a' ? deep() : undefined }); return deep()
