// expect: timeout
const o = { [Symbol.toPrimitive]: h => { for (;;); } }; return `${o}`
