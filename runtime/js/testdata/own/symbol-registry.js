// expect: out-of-memory or timeout
for (let i = 0; ; i++) Symbol.for('s' + i)
