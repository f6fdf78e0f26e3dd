// expect: result or out-of-memory, timeout on a slow machine
return JSON.parse('[' + '1,'.repeat(1e6) + '1]').length
