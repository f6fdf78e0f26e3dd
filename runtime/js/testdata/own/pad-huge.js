// expect: RangeError or out-of-memory, timeout on a slow machine
return 'x'.padEnd(2 ** 30).length
