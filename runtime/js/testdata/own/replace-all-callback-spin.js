// expect: timeout, out-of-memory in a small guest
return 'aaa'.replaceAll('a', () => { for (;;); })
