// Command rewrite makes engine.wasm, which the build tag jsengine embeds, of the
// quickjs.wasm that npm installed.
//
//	rewrite node_modules/quickjs-wasi/quickjs.wasm engine.wasm
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/ringmill/ringmill/runtime/js"
	"github.com/ringmill/ringmill/runtime/js/internal/fuel"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("rewrite: %d arguments; want the module and the file to write", len(args))
	}
	module, err := os.ReadFile(args[0])
	if err != nil {
		return fmt.Errorf("rewrite: %w: run npm ci in runtime/js", err)
	}
	if err := check(args[0], module, js.ModuleSum); err != nil {
		return err
	}
	rewritten, err := fuel.Rewrite(module)
	if err != nil {
		return err
	}
	if err := check(args[1], rewritten, js.RewrittenSum); err != nil {
		return err
	}
	return os.WriteFile(args[1], rewritten, 0o644)
}

func check(name string, content []byte, want string) error {
	got := sha256.Sum256(content)
	if hex.EncodeToString(got[:]) != want {
		return fmt.Errorf("rewrite: the sha256 of %s is %x, want %s", name, got, want)
	}
	return nil
}
