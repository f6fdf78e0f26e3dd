// Timers: the host keeps their times, the guest their functions.
(function (host, shared) {
  'use strict';
  const TIMER = 2, CANCEL = 3;
  const timers = new Map();
  const timer = repeat => function (f, delay, ...args) {
    if (typeof f !== 'function') throw new TypeError('the first argument of a timer must be a function');
    let ms = +delay;
    ms = ms >= 1 ? Math.min(Math.floor(ms), 2147483647) : repeat ? 1 : 0;
    const id = host(TIMER, ms);
    if (id === 0) throw new RangeError('too many timers: wait for some of them to fire first');
    timers.set(id, { f, args, ms, repeat });
    return id;
  };
  const cancel = function (id) {
    if (timers.delete(id)) host(CANCEL, id);
  };
  shared.fire = id => {
    const t = timers.get(id);
    if (t === undefined) return;
    try {
      Reflect.apply(t.f, undefined, t.args);
    } catch (e) { shared.fail(e); }
    if (!t.repeat) { timers.delete(id); return; }
    if (timers.get(id) === t && host(TIMER, t.ms, id) === 0) shared.fail(new RangeError('too many timers'));
  };
  return { setTimeout: timer(false), setInterval: timer(true), clearTimeout: cancel, clearInterval: cancel };
})
