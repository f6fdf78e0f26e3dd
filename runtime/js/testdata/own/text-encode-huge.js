// expect: result, error or out-of-memory, timeout on a slow machine
return new TextEncoder().encode('\u20ac'.repeat(4e6)).length
