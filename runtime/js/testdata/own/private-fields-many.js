// expect: result or SyntaxError or error or out-of-memory or timeout
const fields = Array.from({ length: 20000 }, (_, i) => '#f' + i + ' = ' + i).join(';'); const C = new Function('return class {' + fields + '}')(); const keep = []; for (let i = 0; i < 100; i++) keep.push(new C()); return keep.length
