// expect: out-of-memory or timeout
for (;;) Promise.reject(new Error('x'))
