// expect: result or error, timeout on a slow machine, out-of-memory in a small guest
return '\u0000'.repeat(1e6)
