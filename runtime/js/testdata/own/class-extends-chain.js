// expect: result or out-of-memory or timeout or error
let C = class {}; for (let i = 0; i < 5000; i++) C = class extends C { constructor(...a) { super(...a) } }; return typeof new C()
