//go:build !unix

package js

func limitCompiler() {}
