// expect: error, timeout on a slow machine, out-of-memory in a small guest
throw new Error('m'.repeat(8e6))
