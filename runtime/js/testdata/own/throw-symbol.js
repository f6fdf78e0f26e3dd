// expect: error, timeout on a slow machine, out-of-memory in a small guest
throw Symbol('s')
