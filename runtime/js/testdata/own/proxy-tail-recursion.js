// expect: RangeError or error or timeout
const p = new Proxy(function () {}, { apply: (t, self, args) => Reflect.apply(p, self, args) }); return p()
