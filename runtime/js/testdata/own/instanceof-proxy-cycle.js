// expect: result or error or timeout
const p = new Proxy({}, { getPrototypeOf: () => p }); return p instanceof Object
