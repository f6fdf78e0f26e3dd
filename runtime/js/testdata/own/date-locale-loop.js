// expect: timeout
for (let i = 0; ; i++) new Date(i * 1e7).toLocaleString('de-DE', { timeZone: 'UTC' })
