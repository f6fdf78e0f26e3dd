// fetch: the host makes the requests.
(function (host, shared) {
  'use strict';
  const FETCH = 5;
  const calls = new Map();
  function fetch(url, options = {}) {
    return new Promise((resolve, reject) => {
      const headers = Object.create(null), given = options.headers;
      if (given) for (const name of Object.keys(given)) headers[name] = String(given[name]);
      const request = { url: String(url), method: String(options.method || 'GET'), headers };
      if (options.body !== undefined && options.body !== null) {
        request.body = typeof options.body === 'string' ? options.body : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(options.body);
      }
      const id = host(FETCH, JSON.stringify(request));
      if (typeof id === 'string') throw new TypeError(id);
      calls.set(id, { resolve, reject });
    });
  }
  function response(r) {
    const headers = { get: name => { const v = r.headers[String(name).toLowerCase()]; return v === undefined ? null : v; } };
    return Object.freeze({
      ok: r.status >= 200 && r.status < 300, status: r.status, url: r.url, headers: Object.freeze(headers),
      text: async () => r.body, json: async () => JSON.parse(r.body), bytes: async () => new TextEncoder().encode(r.body),
    });
  }
  shared.settle = (id, text) => {
    const call = calls.get(id), r = JSON.parse(text);
    if (call === undefined) return;
    calls.delete(id);
    if (r.error !== undefined) call.reject(new TypeError(r.error)); else call.resolve(response(r));
  };
  return { fetch };
})
