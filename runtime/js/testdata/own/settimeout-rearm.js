// expect: timeout
const f = () => setTimeout(f, 0); f(); await new Promise(() => {})
