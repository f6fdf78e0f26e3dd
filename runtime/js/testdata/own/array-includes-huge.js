// expect: timeout, out-of-memory in a small guest
return Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)
