// Package js runs JavaScript and TypeScript that nobody vouches for.
//
// A script is QuickJS bytecode in a WebAssembly guest. It sees the language and a
// few functions of this package, nothing of the host. Each call begins in a guest
// whose whole memory was made pristine: what an earlier call did, to globals,
// prototypes or memory that it freed, cannot be seen. A call that takes too long,
// wants too much memory or crashes the engine ends with an [Error]; the host and
// the calls beside it go on.
//
//	engine, err := js.New(js.Config{})
//	defer engine.Close(ctx)
//	script, err := engine.Compile(ctx, js.Source{Name: "total.js", Code: `
//	    export default (order, ctx) => order.items.reduce((sum, i) => sum + i.price, 0)`})
//	result, err := engine.Run(ctx, script, js.Input{Value: order})   // result.Value is JSON
//
// # The engine's module
//
// No binary is part of the sources. make build fetches the module with npm and
// builds it in (build tag jsengine). A program built without it needs the
// environment variable RINGMILL_JS_ENGINE or [Config].Module; otherwise [New]
// answers [ErrNoEngine] and says so. Importing the package starts nothing.
//
// # What scripts have
//
// The language is ECMAScript 2023 with some of what came later, without Intl,
// Temporal and structuredClone; DESIGN.md has the list. Beside it: console, setTimeout,
// setInterval and their clear functions, queueMicrotask, crypto.randomUUID and
// crypto.getRandomValues, TextEncoder, TextDecoder, atob, btoa, performance.now and,
// where [Config].Fetch allows hosts, fetch. There are no imports, files, processes
// or environment. Times are UTC. ringmill.d.ts declares all of it for editors.
//
// # Choosing limits
//
// The host needs about 60 MB and up to Instances times Limits.MemoryBytes. Parallel
// leaves a processor to everything else in the program; a script that awaits a
// timer or a request does not count. See [Config] and [Limits].
package js
