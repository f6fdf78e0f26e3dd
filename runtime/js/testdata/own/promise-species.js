// expect: timeout or error or result
class P extends Promise { static get [Symbol.species]() { for (;;); } } return new P(r => r(1)).then(x => x)
