// expect: result or out-of-memory or timeout
const r = new FinalizationRegistry(() => { for (;;); }); for (let i = 0; i < 1e5; i++) r.register({}, i); await null; for (let i = 0; i < 1e6; i++) ({}); return 1
