// console: lines go to the host, which keeps a bounded number of bytes.
(function (host) {
  'use strict';
  const LOG = 1;
  const brief = 256, depth = 4;
  function show(v, level, seen) {
    switch (typeof v) {
      case 'string': return level === 0 ? v : JSON.stringify(v);
      case 'undefined': return 'undefined';
      case 'function': return '[function]';
      case 'bigint': return String(v) + 'n';
      case 'object': break;
      default: return String(v);
    }
    if (v === null) return 'null';
    if (v instanceof Error) return String(v.stack ? v.name + ': ' + v.message + '\n' + v.stack : v);
    if (seen.has(v)) return '[circular]';
    if (level >= depth) return '[object]';
    seen.add(v);
    const list = Array.isArray(v), keys = Reflect.ownKeys(v);
    let out = list ? '[' : '{', n = 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (typeof key === 'symbol' || (list && key === 'length')) continue;
      if (n === brief) { out += ', ...'; break; }
      out += (n++ ? ', ' : '') + (list ? '' : key + ': ') + show(v[key], level + 1, seen);
      if (out.length > 65536) { out = out.slice(0, 65536); break; }
    }
    seen.delete(v);
    return out + (list ? ']' : '}');
  }
  let logging = true;
  const log = level => function (...args) {
    if (!logging) return;
    let line = '';
    for (let i = 0; i < args.length && line.length <= 65536; i++) line += (i ? ' ' : '') + show(args[i], 0, new Set()).slice(0, 65537);
    logging = host(LOG, level, line.slice(0, 65536)) === 1;
  };
  const levels = ['debug', 'log', 'info', 'warn', 'error'];
  const console = {};
  for (let i = 0; i < levels.length; i++) console[levels[i]] = log(i);
  return { console };
})
