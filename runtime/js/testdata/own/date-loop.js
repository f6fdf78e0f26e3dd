// expect: timeout, out-of-memory in a small guest
for (;;) Date.now()
