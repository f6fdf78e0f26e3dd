// expect: timeout or error, out-of-memory in a small guest
Object.prototype.then = function () { for (;;); }; return {}
