//go:build jsengine

package js

import _ "embed"

// builtin is the rewritten module, which make js-engine writes.
//
//go:embed engine.wasm
var builtin []byte
