// expect: timeout, out-of-memory in a small guest
return { get then() { for (;;); } }
