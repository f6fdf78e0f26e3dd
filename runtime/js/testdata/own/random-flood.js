// expect: timeout or error, out-of-memory in a small guest
for (;;) crypto.getRandomValues(new Uint8Array(65536))
