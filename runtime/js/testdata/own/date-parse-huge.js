// expect: result or error, timeout on a slow machine, out-of-memory in a small guest
return String(Date.parse('9'.repeat(1e6)))
