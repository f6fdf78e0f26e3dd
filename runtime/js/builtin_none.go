//go:build !jsengine

package js

// builtin is the rewritten module of programs built with the tag jsengine.
var builtin []byte
