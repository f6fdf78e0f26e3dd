// expect: timeout, out-of-memory in a small guest
a: for (;;) { b: for (;;) { continue a } }
