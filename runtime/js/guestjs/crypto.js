// crypto: random numbers of the host's generator.
(function (host) {
  'use strict';
  const RANDOM = 4;
  function random(n) {
    const text = host(RANDOM, n), bytes = new Uint8Array(n); // one character a byte
    for (let i = 0; i < n; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  }
  const hex = '0123456789abcdef';
  const crypto = {};
  crypto.randomUUID = function () {
    const b = random(16);
    b[6] = b[6] & 15 | 64; b[8] = b[8] & 63 | 128;
    let out = '';
    for (let i = 0; i < 16; i++) out += (i === 4 || i === 6 || i === 8 || i === 10 ? '-' : '') + hex[b[i] >> 4] + hex[b[i] & 15];
    return out;
  };
  crypto.getRandomValues = function (view) {
    if (!ArrayBuffer.isView(view)) throw new TypeError('getRandomValues wants a typed array');
    if (view.byteLength > 65536) throw new RangeError('getRandomValues fills at most 65536 bytes');
    const into = new Uint8Array(view.buffer, view.byteOffset, view.byteLength), from = random(into.length);
    for (let i = 0; i < from.length; i++) into[i] = from[i];
    return view;
  };
  return { crypto };
})
