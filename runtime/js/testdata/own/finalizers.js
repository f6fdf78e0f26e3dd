// expect: result, error or out-of-memory, timeout on a slow machine
const r = new FinalizationRegistry(() => { for (;;); }); for (let i = 0; i < 1e5; i++) r.register({}, i); return 1
