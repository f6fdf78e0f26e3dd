// expect: result or error, timeout on a slow machine, out-of-memory in a small guest
var a = 1; with ({ a: 2 }) { return eval('a') }
