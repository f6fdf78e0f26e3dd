// expect: result or error or timeout or out-of-memory
const f = new Function('return new Error(' + JSON.stringify('x'.repeat(1e6)) + ')'); Object.defineProperty(f, 'name', { value: 'n'.repeat(3e6) }); const e = f(); e.stack += 'y'.repeat(3e6); throw e
