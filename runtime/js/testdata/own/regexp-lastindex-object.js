// expect: timeout or result or error
const r = /a/y; r.lastIndex = { valueOf() { for (;;); } }; return r.test('aaa')
