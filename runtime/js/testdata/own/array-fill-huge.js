// expect: timeout or out-of-memory
return Array.prototype.fill.call({ length: 2 ** 53 - 1 }, 0).length
