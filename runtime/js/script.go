package js

import (
	"container/list"
	"context"
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// A Language says how a source is written.
type Language int

const (
	JavaScript Language = iota
	TypeScript
)

// A Source is a script as its author wrote it.
//
// It is a module with export default (input, ctx) => result, or the body of such a
// function, which answers with return; a condition may also be an expression. The
// function may be async. Input and result are JSON; a result of undefined is null.
type Source struct {
	// Name is the file's name, for messages. Defaults to "script".
	Name string
	// Code is the source, in UTF-8.
	Code string
	// Language is how Code is written. Defaults to JavaScript.
	Language Language
	// Condition marks a source that may be an expression and whose calls have the
	// shorter limits. Its result is true or false, as JavaScript takes what it answers.
	Condition bool
}

// A Script is a source that compiled. It is immutable and safe for concurrent use,
// by the engine that made it only.
type Script struct {
	engine *Engine
	source Source
	hash   [sha256.Size]byte
	text   string // JavaScript, as the engine gets it
	module bool
	lines  lineMap
}

// Name is the source's name.
func (s *Script) Name() string { return s.source.Name }

// Condition reports whether the source was marked as one.
func (s *Script) Condition() bool { return s.source.Condition }

// guestFile names the script in the guest; positions in it are the author's.
const guestFile = "script"

var (
	moduleWord  = regexp.MustCompile(`\b(export|import)\b`)
	moduleStart = regexp.MustCompile(`(?m)^[ \t]*(export|import)\b`)
	endWord     = regexp.MustCompile(`\b(return|throw|for|while)\b`) // a body without one ends without an answer
	awaitWord   = regexp.MustCompile(`\bawait\b`)
)

// A form is a way to read a source.
type form struct {
	module         bool
	before, behind string // what a function is made with; before ends with a line of its own
}

var (
	formModule     = form{module: true}
	formBody       = form{before: "(function(input,ctx){\n", behind: "\n})"}
	formAsyncBody  = form{before: "(async function(input,ctx){\n", behind: "\n})"}
	formExpression = form{before: "(function(input,ctx){return (\n", behind: "\n)})"}
)

// formsOf lists the forms to try. The error of the last one is what the author sees.
func formsOf(s Source) []form {
	var forms []form
	if moduleStart.MatchString(s.Code) {
		return append(forms, formModule)
	}
	if moduleWord.MatchString(s.Code) {
		forms = append(forms, formModule)
	}
	if s.Condition {
		forms = append(forms, formExpression)
	}
	if awaitWord.MatchString(s.Code) {
		forms = append(forms, formAsyncBody)
	}
	return append(forms, formBody)
}

// Compile prepares a source. It blocks while the engine starts and while all
// guests are busy, at most until ctx ends. The error is an [*Error]; one of class
// ClassScript says where the source is wrong.
//
// Scripts are cached by their source: compiling one again costs a look-up.
func (e *Engine) Compile(ctx context.Context, source Source) (*Script, error) {
	if source.Name == "" {
		source.Name = "script"
	}
	source.Name = strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, source.Name)
	bad := func(message string) error {
		return &Error{Class: ClassScript, Script: source.Name, Message: message}
	}
	switch {
	case len(source.Code) > e.config.Limits.SourceBytes:
		return nil, bad(fmt.Sprintf("the source is %d bytes, limit %d: shorten it, or raise Limits.SourceBytes", len(source.Code), e.config.Limits.SourceBytes))
	case !utf8.ValidString(source.Code):
		return nil, bad("the source is not valid UTF-8: save it as UTF-8")
	case strings.IndexByte(source.Code, 0) >= 0:
		return nil, bad("the source has a zero byte: remove it")
	case strings.TrimSpace(source.Code) == "":
		return nil, bad("the source is empty: write export default (input, ctx) => result, or a function body")
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%d %t\n%s", source.Language, source.Condition, source.Code)
	script := &Script{engine: e, source: source}
	hash.Sum(script.hash[:0])
	if known := e.cache.script(script.hash); known != nil {
		again := *known
		again.source = source // the same text may stand in another file
		return &again, nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.config.Limits.TotalTimeout)
	defer cancel()
	img, err := e.compile(ctx, script)
	if err != nil {
		return nil, err
	}
	e.cache.put(script, img)
	return script, nil
}

// compile tries the forms of the source.
func (e *Engine) compile(ctx context.Context, s *Script) (*image, error) {
	var last error
	for _, f := range formsOf(s.source) {
		text, lines := f.before+s.source.Code+f.behind, lineMap(nil)
		if s.source.Language == TypeScript {
			var err error
			if text, lines, err = e.transpile(f, s.source); err != nil {
				last = err
				continue
			}
		}
		if f.before != "" && lines == nil {
			lines = shiftedLines
		}
		candidate := *s
		candidate.text, candidate.module, candidate.lines = text, f.module, lines
		img, err := e.load(ctx, &candidate)
		if err == nil {
			if s.source.Condition && !f.module && f != formExpression && !endWord.MatchString(s.source.Code) {
				return nil, &Error{Class: ClassScript, Script: s.source.Name, Message: "the condition says neither true nor false: write one expression without a semicolon, or statements that return"}
			}
			*s = candidate
			return img, nil
		}
		if last = err; ClassOf(err) != ClassScript {
			return nil, err
		}
	}
	return nil, last
}

// A scriptCache keeps compiled scripts, bounded by the bytes of their images. It is
// safe for concurrent use.
type scriptCache struct {
	mu     sync.Mutex
	limit  int64
	bytes  int64
	byHash map[[sha256.Size]byte]*list.Element
	recent list.List // of *cached, the least recently used at the back
	misses int64
}

type cached struct {
	script *Script
	image  *image
}

// perScript is what an entry costs beside its image: the entry itself, the map's
// share and the texts' headers.
const perScript = 1 << 10

func (c *cached) size() int64 {
	return int64(c.image.bytes + len(c.script.text) + len(c.script.source.Code) + perScript)
}

func (c *scriptCache) script(hash [sha256.Size]byte) *Script {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.byHash[hash]; at != nil {
		c.recent.MoveToFront(at)
		return at.Value.(*cached).script
	}
	return nil
}

// image returns the script's image, nil if it was dropped.
func (c *scriptCache) image(hash *[sha256.Size]byte) *image {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.byHash[*hash]; at != nil {
		c.recent.MoveToFront(at)
		return at.Value.(*cached).image
	}
	c.misses++
	return nil
}

func (c *scriptCache) put(s *Script, img *image) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byHash[s.hash] != nil {
		return // two callers compiled it at the same time
	}
	entry := &cached{s, img}
	if entry.size() > c.limit {
		return // runs all the same, compiled anew for each call
	}
	c.byHash[s.hash] = c.recent.PushFront(entry)
	for c.bytes += entry.size(); c.bytes > c.limit; {
		oldest := c.recent.Back()
		dropped := c.recent.Remove(oldest).(*cached)
		delete(c.byHash, dropped.script.hash)
		c.bytes -= dropped.size()
	}
}

// usage returns the number of scripts and their bytes.
func (c *scriptCache) usage() (scripts int, bytes, misses int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.recent.Len(), c.bytes, c.misses
}
