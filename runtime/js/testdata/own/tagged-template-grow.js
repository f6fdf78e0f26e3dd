// expect: out-of-memory or timeout
const keep = []; const tag = s => s; for (let i = 0; ; i++) keep.push(new Function('t', 'return t`' + 'x'.repeat(1000) + i + '`')(tag))
