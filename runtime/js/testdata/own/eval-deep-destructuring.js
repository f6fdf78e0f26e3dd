// expect: stack error, SyntaxError or result, timeout on a slow machine, out-of-memory in a small guest
return eval('let ' + '['.repeat(5e4) + 'a' + ']'.repeat(5e4) + '=[]')
