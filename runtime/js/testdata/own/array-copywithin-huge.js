// expect: timeout or error, out-of-memory in a small guest
return Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 0, 1).length
