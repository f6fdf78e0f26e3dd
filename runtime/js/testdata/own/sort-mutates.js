// expect: result, error or out-of-memory, timeout on a slow machine
const a = [...Array(1000).keys()]; a.sort((x, y) => { a.length = 0; a.push(...Array(1000)); return x - y }); return a.length
