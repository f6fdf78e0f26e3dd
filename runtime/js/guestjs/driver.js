// The driver: evaluated once, before the image of a pristine guest is taken. It
// captures what it uses later, so that no script can replace it. It is kept small,
// because every call copies it: what a script sees beside the language's own
// globals is loaded by the first use, see the other files here.
(function (host) {
  'use strict';
  const { parse, stringify } = JSON;
  const { apply, defineProperty } = Reflect;
  const StringOf = String, PromiseOf = Promise, TypeErrorOf = TypeError;
  const promiseThen = Promise.prototype.then, stringSlice = String.prototype.slice;
  const then = (promise, ok, bad) => apply(promiseThen, promise, [ok, bad]);

  // host.go has the same number.
  const LOAD = 0;
  // What the driver answers beside a result's JSON text; guest.go has the same.
  const PENDING = 1, UNDEFINED = 2, FAILED = 3, FULFILLED = 4;

  let state = PENDING, value, failure;
  const fail = e => { if (state !== FAILED) { state = FAILED; failure = e; } };
  // What the lazy files share with the driver. They set fire and settle.
  const shared = { fail, then, fire() {}, settle() {} };

  function lazy(file, names) {
    const install = () => {
      const made = host(LOAD, file)(host, shared);
      for (let i = 0; i < names.length; i++) define(names[i], made[names[i]]);
      return made;
    };
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      defineProperty(globalThis, name, {
        get() { return install()[name]; }, set(v) { define(name, v); }, enumerable: false, configurable: true,
      });
    }
  }
  const define = (name, value) =>
    defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
  lazy(0, ['console']);
  lazy(1, ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval']);
  lazy(2, ['crypto']);
  lazy(3, ['TextEncoder', 'TextDecoder']);
  if (host(LOAD, 4) !== undefined) lazy(4, ['fetch']);

  function finish(v) {
    switch (typeof v) { // stringify takes some microseconds even for these
      case 'number': return v - v === 0 ? '' + v : 'null';
      case 'boolean': return v ? 'true' : 'false';
    }
    const text = stringify(v);
    return text === undefined ? UNDEFINED : text;
  }
  function run(f, input, context) {
    try {
      if (typeof f !== 'function') throw new TypeErrorOf('the script must export a function: export default (input, ctx) => result');
      const v = f(input === undefined ? null : parse(input), context === undefined ? {} : parse(context));
      if ((typeof v !== 'object' && typeof v !== 'function') || v === null || typeof v.then !== 'function') return finish(v);
      then(new PromiseOf(resolve => resolve(v)), v => { if (state === PENDING) { value = v; state = FULFILLED; } }, fail);
      return PENDING;
    } catch (e) {
      fail(e);
      return FAILED;
    }
  }
  const enter = (namespace, input, context) => run(namespace.default, input, context);
  function load(promise, namespace, input, context) { // a module whose top level awaits
    then(promise, () => {
      const r = enter(namespace, input, context);
      if (state !== PENDING) return;
      if (typeof r === 'string') { value = parse(r); state = FULFILLED; } else if (r === UNDEFINED) state = FULFILLED;
    }, fail);
    return PENDING;
  }
  function take() {
    if (state === FULFILLED) {
      try { return finish(value); } catch (e) { fail(e); }
    }
    return state;
  }
  function part(read, limit) {
    try { return apply(stringSlice, StringOf(read()), [0, limit]); } catch { return ''; }
  }
  function describe(e) {
    if (e === undefined || e === null || (typeof e !== 'object' && typeof e !== 'function')) {
      return stringify({ name: '', message: part(() => e, 4096), stack: '', kind: e === null ? 'null' : 'value' });
    }
    let message = part(() => e.message === undefined ? '' : e.message, 4096);
    const name = part(() => e.name === undefined ? '' : e.name, 256);
    if (name === '' && message === '') message = part(() => e, 4096);
    return stringify({ name, message, stack: part(() => e.stack === undefined ? '' : e.stack, 16384), kind: 'error' });
  }
  return [run, enter, load, take, id => shared.fire(id), (id, text) => shared.settle(id, text), describe, () => describe(failure)];
})
