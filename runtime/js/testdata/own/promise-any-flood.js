// expect: out-of-memory or timeout
const all = []; for (;;) all.push(Promise.any(Array.from({ length: 1000 }, () => Promise.reject(new Error('x'.repeat(100))))))
