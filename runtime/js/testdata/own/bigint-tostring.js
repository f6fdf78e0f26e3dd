// expect: timeout, error, out-of-memory or result
return (3n ** 300000n).toString().length
