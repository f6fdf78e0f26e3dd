// expect: timeout or error, out-of-memory in a small guest
Error.prepareStackTrace = () => { for (;;); }; throw new Error('x')
