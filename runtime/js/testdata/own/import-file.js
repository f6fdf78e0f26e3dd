// expect: error, timeout on a slow machine, out-of-memory in a small guest
return import('/etc/passwd')
