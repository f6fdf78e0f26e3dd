// expect: timeout or error, out-of-memory in a small guest
for (let i = 0; ; i++) await import('m' + i).catch(() => {})
