// Package http is the kind of task that makes an HTTP request:
//
//	user: {http: {url: "https://api.example/users/${{ input.user }}"}, timeout: 2s, retry: {max: 5}}
//
// Definitions read with workflow.Kinds([Kind]) have it; [NewClient] makes one that
// is set up differently. The keys of its value:
//
//	method       GET unless given
//	url          http or https
//	query        map of text, added to the url
//	headers      map of text
//	body         text is sent as it is, anything else as JSON; of a POST, PUT or
//	             PATCH the task's with, or a foreach's item, unless given
//	accept_status  list of status codes that are no failure beside 200 to 299
//	response     body (default): the task's result is the body, read as JSON if the
//	             server says that it is, and text otherwise; full: an object {status,
//	             headers, body}
//
// A request ends with the attempt's context. What the server answers is bounded in
// size. Status codes that another attempt cannot mend, 400 to 499 but for 408, 425
// and 429, fail the task for good; a Retry-After is kept to. Requests that change
// something carry an Idempotency-Key, the same in every attempt.
//
// Addresses that are not public (loopback, private, link-local, ...) are refused
// unless the client allows them, after names were resolved, for redirects too: a
// definition cannot reach what only this machine can.
package http
