// expect: timeout
const s = 'e\u0301'.repeat(1000); for (;;) s.localeCompare(s.normalize('NFC'))
