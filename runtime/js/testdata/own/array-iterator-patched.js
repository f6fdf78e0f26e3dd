// expect: result or timeout
Array.prototype[Symbol.iterator] = function* () { for (;;) yield 1 }; return [1, 2]
