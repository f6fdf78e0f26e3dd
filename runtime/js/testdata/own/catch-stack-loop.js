// expect: timeout, out-of-memory in a small guest
const f = () => { try { f() } catch { f() } }; f()
