package js

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/ringmill/ringmill/runtime/js/internal/fuel"
)

// EngineVersion is the version of the npm package quickjs-wasi whose quickjs.wasm
// the engine is. package.json pins the same.
const EngineVersion = "3.6.2"

const (
	// ModuleSum is the sha256 of that quickjs.wasm, RewrittenSum that of what the
	// rewriter makes of it. A program that embeds another module would run untested
	// code with the assumptions of this one.
	ModuleSum    = "d4c9375f2b1ca4dc95f72c8aa2982a7a9951ac8011490d79c6582df732b4bbd9"
	RewrittenSum = "243458424267b9e0e4b2ed3f3d4ab4107ad9bf2e1ed959efcd0145ab012c0eaf"

	engineVariable = "RINGMILL_JS_ENGINE"
)

// engineModule returns the rewritten module: from bytes, the file that the
// environment names, or what is built in.
func engineModule(given []byte) ([]byte, error) {
	if len(given) > 0 {
		return prepareModule("Config.Module", given)
	}
	if path := os.Getenv(engineVariable); path != "" {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("js: %s: %w: name the file quickjs.wasm of the npm package quickjs-wasi %s", engineVariable, err, EngineVersion)
		}
		return prepareModule(engineVariable+" "+path, content)
	}
	if len(builtin) > 0 {
		if sum(builtin) != RewrittenSum {
			return nil, errors.New("js: the module built into this program is not the one that its sources pin: run make js-engine and build again")
		}
		return builtin, nil
	}
	return nil, fmt.Errorf(`%w: do one of these:
  set %s to the path of quickjs.wasm of the npm package quickjs-wasi %s;
  set js.Config.Module to its bytes;
  build with it: run make build (needs npm), or make js-engine and go build -tags jsengine`, ErrNoEngine, engineVariable, EngineVersion)
}

// prepareModule checks and rewrites what comes from outside.
func prepareModule(what string, content []byte) ([]byte, error) {
	switch got := sum(content); got {
	case RewrittenSum:
		return content, nil
	case ModuleSum:
		return fuel.Rewrite(content)
	default:
		return nil, fmt.Errorf("js: %s is not quickjs.wasm of the npm package quickjs-wasi %s: its sha256 is %s, want %s", what, EngineVersion, got, ModuleSum)
	}
}

func sum(content []byte) string {
	s := sha256.Sum256(content)
	return hex.EncodeToString(s[:])
}
