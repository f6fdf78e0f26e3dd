// expect: timeout, out-of-memory in a small guest
return [...Array(1e5).keys()].sort(() => { for (;;); })
