// expect: timeout
a: for (;;) { b: for (;;) { c: for (;;) { try { continue a } finally { continue b } } } }
