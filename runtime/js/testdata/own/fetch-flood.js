// expect: result or error
if (typeof fetch === 'undefined') return 'absent'; const all = []; for (;;) all.push(fetch('http://127.0.0.1/'))
