// expect: error or result, timeout on a slow machine, out-of-memory in a small guest
return eval('import.meta')
