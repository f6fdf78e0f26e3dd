// expect: timeout or error, out-of-memory in a small guest
return Array.prototype.splice.call({ length: 2 ** 53 - 1 }, 0, 1).length
