// expect: result or error, timeout on a slow machine, out-of-memory in a small guest
return JSON.parse('{"a":'.repeat(1e5) + '1' + '}'.repeat(1e5)) !== null
