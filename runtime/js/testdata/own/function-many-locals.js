// expect: result or error, timeout on a slow machine, out-of-memory in a small guest
return Function('var ' + Array(70000).fill('a').map((a, i) => a + i).join() + '; return 1')()
