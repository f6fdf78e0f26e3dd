// expect: timeout, out-of-memory in a small guest
function* g() { for (;;) yield } for (const x of g());
