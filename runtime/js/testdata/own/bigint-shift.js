// expect: RangeError or out-of-memory, timeout on a slow machine
return (1n << (1n << 40n)).toString().length
