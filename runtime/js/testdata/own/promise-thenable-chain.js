// expect: timeout or out-of-memory
const t = () => ({ then(ok) { ok(t()) } }); return t()
