// expect: result, timeout on a slow machine, out-of-memory in a small guest
let f = () => 1; for (let i = 0; i < 1e5; i++) { const g = f; f = () => g } f = null; return 1
