// expect: timeout, out-of-memory in a small guest
return new Float64Array(1e6).sort(() => { for (;;); })
