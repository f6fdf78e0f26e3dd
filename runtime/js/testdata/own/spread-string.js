// expect: result, error or out-of-memory, timeout on a slow machine
return [...'x'.repeat(1e6)].length
