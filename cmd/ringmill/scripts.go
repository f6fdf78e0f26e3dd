package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/runtime/js"
	"github.com/ringmill/ringmill/runtime/workflow"
)

// maxScript bounds what is read of a script's file; the engine takes less.
const maxScript = 16 << 20

// scripts are the JavaScript and TypeScript tasks of a file.
type scripts struct {
	*js.Tasks
	read atomic.Int64 // scripts in the file in which no problem was found
}

// newScripts makes the kinds js and ts. The paths of scripts are relative to the
// workflow's file. Console output goes to out, nil for nowhere.
func newScripts(file string, out *console) *scripts {
	dir := "."
	if file != standardInput {
		dir = filepath.Dir(file)
	}
	tasks := js.NewTasks(js.Config{CacheDir: scriptCache(), TypeScriptCommand: compilerCommand()}, func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return readScript(name)
	})
	if out != nil {
		tasks.Console = out.write
	}
	return &scripts{Tasks: tasks}
}

func (s *scripts) option() workflow.ParseOption {
	kinds := s.Kinds()
	for i := range kinds {
		for _, check := range []*func(json.RawMessage) error{&kinds[i].Check, &kinds[i].CheckHolds} {
			inner := *check
			*check = func(value json.RawMessage) error {
				err := inner(value)
				if err == nil {
					s.read.Add(1)
				}
				return err
			}
		}
	}
	return workflow.Kinds(kinds...)
}

// unchecked returns how many scripts were read and not checked, because this program has
// no engine for them.
func (s *scripts) unchecked() int64 {
	n := s.read.Load()
	if n == 0 { // asking for the engine would start it
		return 0
	}
	if _, err := s.Engine(); !errors.Is(err, js.ErrNoEngine) {
		return 0
	}
	return n
}

// stop ends the engine; scripts that still run are stopped.
func (s *scripts) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_ = s.Close(ctx) // the process ends anyway
}

// compilerCommand compiles TypeScript in a process of its own, which is this program
// again: a compilation that takes for ever can be killed there.
func compilerCommand() []string {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	return []string{self, compilerName}
}

const compilerName = "typescript"

func newCompiler(s streams) *cobra.Command {
	return &cobra.Command{
		Use:    compilerName,
		Short:  "Compile TypeScript from standard input, for the program itself",
		Hidden: true,
		Args:   noArguments,
		RunE:   func(*cobra.Command, []string) error { return js.CompileTypeScript(s.in, s.out) },
	}
}

func readScript(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fileError(name, err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxScript))
	if err != nil {
		return nil, fileError(name, err)
	}
	return text, nil
}

// scriptCache is where the engine's machine code is kept between runs: the user's
// own cache, where nobody else can write. Empty if there is none.
func scriptCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir = filepath.Join(dir, "ringmill", "js")
	if os.MkdirAll(dir, 0o700) != nil {
		return ""
	}
	return dir
}
