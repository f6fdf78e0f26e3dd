// expect: out-of-memory, error or timeout
const k = []; for (;;) try { k.push(new Array(1e5).fill(0)) } catch {}
