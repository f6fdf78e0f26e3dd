// expect: timeout, out-of-memory in a small guest
Object.prototype.toJSON = () => { for (;;); }; return {}
