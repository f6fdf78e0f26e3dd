// Command model checks the Promela model of parking, park.pml, in every interleaving, and checks the checker with
// variants of the model that are broken on purpose.
//
//	go run ./mailbox/model
//
// It needs spin and a C compiler (Debian packages spin and gcc), takes about three minutes and 2 GiB of memory, and exits with 1 if the
// model has an error or a broken variant has none.
package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

//go:embed park.pml
var source []byte

// check is one run of the model checker.
type check struct {
	producers, messages, capacity, size int
	giveUp                              int    // 1: the consumer may give up a sleep once
	broken                              string // the variant's macro; the checker must find an error
}

var checks = []check{
	{2, 3, 2, 2, 1, ""},
	{2, 3, 3, 4, 1, ""},
	{3, 2, 2, 2, 0, ""}, // three producers and a consumer that gives up are too many states
	{3, 2, 3, 4, 0, ""},
	{2, 3, 2, 2, 0, "BROKEN_PARK"},
	{2, 3, 2, 2, 0, "BROKEN_CLOSE"},
	{2, 3, 2, 2, 0, "BROKEN_RING"},
	{2, 3, 2, 2, 0, "BROKEN_UNPARK"},
}

func main() {
	if err := checkAll(); err != nil {
		fmt.Fprintln(os.Stderr, "model:", err)
		os.Exit(1)
	}
}

func checkAll() error {
	dir, err := os.MkdirTemp("", "ringmill-model-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "park.pml"), source, 0o600); err != nil {
		return err
	}
	for _, c := range checks {
		began := time.Now()
		states, found, err := c.run(dir)
		if err != nil {
			return fmt.Errorf("%v: %w", c, err)
		}
		fmt.Printf("%v: %s states, %s errors, %v\n", c, states, found, time.Since(began).Round(time.Millisecond))
		if wantErrors := c.broken != ""; (found != "0") != wantErrors {
			return fmt.Errorf("%v: %s errors", c, found)
		}
	}
	return nil
}

var (
	statesStored = regexp.MustCompile(`(\d+) states, stored`)
	errorsFound  = regexp.MustCompile(`errors: (\d+)`)
	incomplete   = regexp.MustCompile(`(?i)max search depth too small|out of memory|search not completed`)
)

// run generates the checker for c, compiles it and runs it. It answers the number of states and of errors.
func (c check) run(dir string) (states, found string, err error) {
	steps := [][]string{
		append(append([]string{"spin"}, c.macros()...), "-a", "park.pml"),
		{"cc", "-O2", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"},
		{"./pan", "-m100000"},
	}
	var out []byte
	for _, argv := range steps {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Dir = dir
		if out, err = cmd.CombinedOutput(); err != nil {
			return "", "", fmt.Errorf("%s: %w\n%s", argv[0], err, out)
		}
	}
	return parse(out)
}

// parse reads what the checker wrote. A search that found an error ends there; one that found none must be complete.
func parse(out []byte) (states, found string, err error) {
	s, e := statesStored.FindSubmatch(out), errorsFound.FindSubmatch(out)
	if s == nil || e == nil || string(e[1]) == "0" && incomplete.Match(out) {
		return "", "", errors.New("the search was not complete:\n" + string(out))
	}
	return string(s[1]), string(e[1]), nil
}

func (c check) macros() []string {
	macros := []string{
		fmt.Sprint("-DPRODUCERS=", c.producers),
		fmt.Sprint("-DMESSAGES=", c.messages),
		fmt.Sprint("-DCAPACITY=", c.capacity),
		fmt.Sprint("-DSIZE=", c.size),
		fmt.Sprint("-DGIVE_UP=", c.giveUp),
	}
	if c.broken != "" {
		macros = append(macros, "-D"+c.broken)
	}
	return macros
}

func (c check) String() string {
	s := fmt.Sprintf("%d producers x %d messages, capacity %d", c.producers, c.messages, c.capacity)
	if c.giveUp == 1 {
		s += ", one sleep given up"
	}
	if c.broken != "" {
		s += ", " + c.broken
	}
	return s
}
