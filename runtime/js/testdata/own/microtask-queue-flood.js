// expect: out-of-memory or timeout
for (;;) queueMicrotask(() => {})
