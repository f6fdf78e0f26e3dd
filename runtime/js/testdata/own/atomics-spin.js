// expect: result or error or timeout
const a = new Int32Array(new ArrayBuffer(16)); if (typeof Atomics === 'undefined') return 'absent'; for (;;) Atomics.wait(a, 0, 0, 1e9)
