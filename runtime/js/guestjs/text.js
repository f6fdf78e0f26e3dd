// TextEncoder and TextDecoder, for UTF-8 only.
(function () {
  'use strict';
  function encode(text) {
    let n = 0;
    const length = text.length, out = new Uint8Array(length * 3);
    for (let i = 0; i < length; i++) {
      let c = text.charCodeAt(i);
      if (c < 0x80) { out[n++] = c; continue; }
      if (c < 0x800) { out[n++] = 0xc0 | c >> 6; out[n++] = 0x80 | c & 63; continue; }
      if (c >= 0xd800 && c < 0xe000) {
        const next = c < 0xdc00 && i + 1 < length ? text.charCodeAt(i + 1) : 0;
        if (next >= 0xdc00 && next < 0xe000) {
          c = 0x10000 + ((c & 0x3ff) << 10) + (next & 0x3ff);
          i++;
          out[n++] = 0xf0 | c >> 18; out[n++] = 0x80 | c >> 12 & 63; out[n++] = 0x80 | c >> 6 & 63; out[n++] = 0x80 | c & 63;
          continue;
        }
        c = 0xfffd;
      }
      out[n++] = 0xe0 | c >> 12; out[n++] = 0x80 | c >> 6 & 63; out[n++] = 0x80 | c & 63;
    }
    return new Uint8Array(out.buffer.slice(0, n));
  }
  function decode(b, fatal, ignoreBOM) {
    const length = b.length;
    let out = '', chunk = '', i = 0;
    if (!ignoreBOM && length >= 3 && b[0] === 0xef && b[1] === 0xbb && b[2] === 0xbf) i = 3;
    while (i < length) {
      let c = b[i++];
      if (c >= 0x80) {
        let need = 0, least = 0x80, most = 0xbf;
        if (c >= 0xc2 && c <= 0xdf) { need = 1; c &= 31; }
        else if (c >= 0xe0 && c <= 0xef) { need = 2; if (c === 0xe0) least = 0xa0; if (c === 0xed) most = 0x9f; c &= 15; }
        else if (c >= 0xf0 && c <= 0xf4) { need = 3; if (c === 0xf0) least = 0x90; if (c === 0xf4) most = 0x8f; c &= 7; }
        else need = -1;
        for (; need > 0 && i < length && b[i] >= least && b[i] <= most; need--) { c = c << 6 | b[i++] & 63; least = 0x80; most = 0xbf; }
        if (need !== 0) {
          if (fatal) throw new TypeError('the bytes are not valid UTF-8');
          c = 0xfffd;
        }
      }
      if (c < 0x10000) chunk += String.fromCharCode(c);
      else { c -= 0x10000; chunk += String.fromCharCode(0xd800 | c >> 10, 0xdc00 | c & 0x3ff); }
      if (chunk.length >= 4096) { out += chunk; chunk = ''; }
    }
    return out + chunk;
  }
  function bytesOf(source) {
    if (source === undefined) return new Uint8Array(0);
    if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    return new Uint8Array(source);
  }
  class TextEncoder {
    get encoding() { return 'utf-8'; }
    encode(text = '') { return encode(String(text)); }
  }
  class TextDecoder {
    #fatal; #ignoreBOM;
    constructor(label = 'utf-8', options = {}) {
      const name = String(label).toLowerCase();
      if (name !== 'utf-8' && name !== 'utf8') throw new RangeError('TextDecoder knows utf-8 only, not ' + name);
      this.#fatal = !!options.fatal;
      this.#ignoreBOM = !!options.ignoreBOM;
    }
    get encoding() { return 'utf-8'; }
    get fatal() { return this.#fatal; }
    get ignoreBOM() { return this.#ignoreBOM; }
    decode(source) { return decode(bytesOf(source), this.#fatal, this.#ignoreBOM); }
  }
  return { TextEncoder, TextDecoder };
})
