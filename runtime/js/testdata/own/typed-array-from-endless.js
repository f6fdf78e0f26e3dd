// expect: out-of-memory or timeout or RangeError
return Uint8Array.from((function* () { for (;;) yield 1 })())
