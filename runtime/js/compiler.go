package js

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// maxTranspiled bounds what a compiler's process may answer: a source of
// Limits.SourceBytes, its map, and their escapes in JSON.
const maxTranspiled = 256 * mb

// CompileTypeScript is what the program of [Config].TypeScriptCommand does: it reads
// one source from in, writes what came of it to out and returns. It limits the memory
// and the processor time of the whole process, where the system can, so that the process should
// do nothing else:
//
//	if len(os.Args) > 1 && os.Args[1] == "typescript" {
//		if err := js.CompileTypeScript(os.Stdin, os.Stdout); err != nil {
//			log.Fatal(err)
//		}
//		return
//	}
//
// The command line of Ringmill has it: ringmill typescript.
func CompileTypeScript(in io.Reader, out io.Writer) error {
	limitCompiler()
	code, err := io.ReadAll(io.LimitReader(in, 64*mb))
	if err != nil {
		return fmt.Errorf("js: reading the source: %w", err)
	}
	return json.NewEncoder(out).Encode(esbuild(string(code)))
}

// transformBy compiles in a process, which is dead when it returns.
func transformBy(ctx context.Context, argv []string, code string) (t transpiled, err error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin = strings.NewReader(code)
	cmd.WaitDelay = time.Second // for what it may have started itself
	cmd.Env = []string{"GOMAXPROCS=2"}
	out, problems := bounded{limit: maxTranspiled}, bounded{limit: 4 << 10}
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return t, errTranspileTime
		}
		return t, fmt.Errorf("%s: %w: %s", argv[0], err, strings.TrimSpace(problems.text.String()))
	}
	if err := json.Unmarshal(out.text.Bytes(), &t); err != nil {
		return t, fmt.Errorf("%s does not answer as CompileTypeScript does: %w", argv[0], err)
	}
	return t, nil
}

// bounded keeps what is written up to limit bytes and refuses more.
type bounded struct {
	text  bytes.Buffer
	limit int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.text.Len()+len(p) > b.limit {
		return 0, errors.New("it writes too much")
	}
	return b.text.Write(p)
}
