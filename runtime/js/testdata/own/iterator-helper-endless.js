// expect: timeout, out-of-memory in a small guest
return Iterator.from({ next: () => ({ value: 1, done: false }) }).filter(() => false).next()
