// expect: out-of-memory or timeout or error or result
class A extends Array { static get [Symbol.species]() { return function (n) { return new Array(n + 1e6).fill('x') } } } let a = A.from([1, 2, 3]); for (let i = 0; i < 1000; i++) a = Object.setPrototypeOf(a.concat(a), A.prototype); return a.length
