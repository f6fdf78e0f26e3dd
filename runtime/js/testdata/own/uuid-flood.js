// expect: timeout, out-of-memory in a small guest
for (;;) crypto.randomUUID()
