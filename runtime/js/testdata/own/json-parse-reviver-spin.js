// expect: timeout or out-of-memory or error
return JSON.parse('[1,2,3]', function (k, v) { if (Array.isArray(this)) { this.push(1); this.length += 1000 } return [v, [1, 2, 3]] }), JSON.parse('{"a":1}', () => { for (;;); })
