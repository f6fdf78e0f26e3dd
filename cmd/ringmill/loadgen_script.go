package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringmill/ringmill/runtime/workflow"
)

// loadScripted reads the workflow in a file that may have scripts or, from js:FILE
// and ts:FILE, makes one of a single script that is given the run's input. The engine
// ends with the command. If scripts will run there must be one. It returns the workflow's
// text too.
func loadScripted(c *cobra.Command, s streams, name string, run bool, opts ...workflow.ParseOption) (def *definition, text []byte, err error) {
	kind, file, ok := strings.Cut(name, ":")
	ok = ok && (kind == "js" || kind == "ts")
	if !ok {
		file = name
	}
	scripts := newScripts(file, nil)
	c.PostRun = func(*cobra.Command, []string) { scripts.stop() }
	opts = append(opts, scripts.option())
	if !ok {
		def, text, err = load(s, name, opts...)
		if err == nil && run && scripts.unchecked() > 0 {
			_, err = scripts.Engine()
		}
		return def, text, err
	}
	if _, err := scripts.Engine(); err != nil {
		return nil, nil, err
	}
	if text, err = scriptWorkflow(kind, file); err != nil {
		return nil, nil, err
	}
	if _, err := readScript(file); err != nil { // else it would be placed in a definition that the user has not written
		return nil, nil, err
	}
	def, err = workflow.ParseYAML(text, append(opts, workflow.File(file))...)
	return def, text, err
}

// scriptWorkflow is the definition of a workflow of one script. The kinds find scripts
// relative to the folder of the workflow's file, here that of the script.
func scriptWorkflow(kind, file string) ([]byte, error) {
	if file == "" {
		return nil, fmt.Errorf("%q: want %s:FILE, such as %s:order.%s", kind+":", kind, kind, kind)
	}
	return json.Marshal(map[string]any{
		"name":   "script",
		"tasks":  map[string]any{"script": map[string]any{kind: map[string]string{"file": filepath.Base(file)}, "with": "${{ input }}"}},
		"output": "${{ tasks.script.output }}",
	})
}
