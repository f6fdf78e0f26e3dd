// expect: out-of-memory or timeout
return Array.from((function* () { for (;;) yield 1 })()).length
