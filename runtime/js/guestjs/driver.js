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
  const PENDING = 1, UNDEFINED = 2, FAILED = 3, FULFILLED = 4, TRUE = 5, FALSE = 6;
  const CONDITION = 1, SETTLED = 2; // how a result is answered

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

  // What a call's result v becomes, where the host does not read it itself: JSON, or
  // for a condition true or false. A promise was awaited before if the result is settled.
  function answer(v, how) {
    if ((how & SETTLED) === 0 && thenable(v)) {
      then(new PromiseOf(resolve => resolve(v)), v => { if (state === PENDING) { value = v; state = FULFILLED; } }, fail);
      return PENDING;
    }
    if (how & CONDITION) {
      if (typeof v === 'function') throw new TypeErrorOf('the condition is a function, which is always true: call it, or write what it returns');
      return v ? TRUE : FALSE;
    }
    const text = stringify(v);
    return text === undefined ? UNDEFINED : text;
  }
  const thenable = v => ((typeof v === 'object' && v !== null) || typeof v === 'function') && typeof v.then === 'function';
  function missing() {
    throw new TypeErrorOf('the script must export a function: export default (input, ctx) => result');
  }
  function load(promise, namespace, input, context) { // a module whose top level awaits
    const called = then(promise, () => {
      const f = namespace.default;
      if (typeof f !== 'function') missing();
      return f(input, context);
    });
    then(called, v => { if (state === PENDING) { value = v; state = FULFILLED; } }, fail);
    return PENDING;
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
  return [parse, answer, missing, load, () => state, () => value, id => shared.fire(id), (id, text) => shared.settle(id, text), describe, () => describe(failure)];
})
