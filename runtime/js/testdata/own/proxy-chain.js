// expect: error or result, timeout on a slow machine, out-of-memory in a small guest
let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x
