// expect: error or timeout, out-of-memory in a small guest
}); for (;;); (function () {
