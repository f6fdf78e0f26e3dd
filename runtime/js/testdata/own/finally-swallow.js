// expect: timeout, out-of-memory in a small guest
for (;;) { try { for (;;); } finally { continue } }
