// expect: error, timeout on a slow machine, out-of-memory in a small guest
const e = new Error('x'); e.cause = e; throw e
