// expect: RangeError or out-of-memory or timeout
const big = { length: 2 ** 32, [Symbol.isConcatSpreadable]: true }; let a = []; for (;;) a = a.concat(big, big)
