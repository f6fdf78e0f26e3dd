package js

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// An Input is what a call hands to a script.
type Input struct {
	// Value is the script's first argument, JSON. Empty counts as null.
	Value json.RawMessage
	// Context is the script's second argument, a JSON object: what the task is called,
	// its run, its attempt. Empty is an object without properties.
	Context json.RawMessage
	// Timeout overrides [Limits].Timeout for this call where it is shorter and not 0.
	Timeout time.Duration
}

// A Result is what a call left.
type Result struct {
	// Value is what the script answered, JSON. It is nil if the call failed.
	Value json.RawMessage
	// Console is what the script wrote with console, one message a line, also when
	// the call failed. ConsoleTruncated says that there was more.
	Console          string
	ConsoleTruncated bool
	// Attempts is how often the call was tried.
	Attempts int
}

const (
	maxAttempts = 3
	// retryWait times the attempt is the wait before another: a guest is replaced
	// within a millisecond, a queue takes longer.
	retryWait = 5 * time.Millisecond
	// roomWait is the wait before the second attempt where the operating system had no
	// memory for the guest, and ten times that the one before the third: other guests
	// give theirs back when their calls end.
	roomWait = 100 * time.Millisecond
)

// pauseAfter is the wait after the attempt of that number failed with err.
func pauseAfter(number int, err error) time.Duration {
	if !errors.Is(err, errNoRoom) {
		return retryWait * time.Duration(number)
	}
	if number == 1 {
		return roomWait
	}
	return 10 * roomWait
}

// Run calls a script in a pristine guest: nothing that an earlier call did can be
// seen. It blocks until the call ended, at most [Limits].TotalTimeout and a few
// milliseconds. When ctx ends the script is stopped. The error is an [*Error].
//
// A call that met a trap, a full queue or a problem of the host is tried again, up
// to 3 attempts in all, unless the script has used fetch. The next one follows
// after 5 and 10 ms; after 100 ms and 1 s where the operating system had no memory.
func (e *Engine) Run(ctx context.Context, s *Script, in Input) (Result, error) {
	if s == nil || s.engine != e {
		return Result{}, &Error{Class: ClassHost, Message: "the script was not compiled by this engine: use Engine.Compile"}
	}
	start := time.Now()
	a := attempt{engine: e, script: s, in: in, queued: start}
	a.timeout, a.total = e.config.Limits.Timeout, e.config.Limits.TotalTimeout
	if s.source.Condition {
		a.timeout, a.total = e.config.Limits.ConditionTimeout, e.config.Limits.ConditionTotalTimeout
	}
	if in.Timeout > 0 {
		a.timeout = min(a.timeout, in.Timeout)
	}
	a.end = start.Add(a.total)

	var err *Error
	if size := len(in.Value) + len(in.Context); size > e.config.Limits.InputBytes {
		err = &Error{Class: ClassScript, Message: fmt.Sprintf(
			"the input is %d bytes of JSON, limit %d: hand over less, or raise Limits.InputBytes", size, e.config.Limits.InputBytes)}
	} else if wait, ok := e.breakers.allow(&s.hash, start); !ok {
		err = &Error{Class: ClassSaturated, Message: fmt.Sprintf(
			"not run: it failed %d times in a short time; it is tried again in %v", e.config.BreakerFailures, wait.Round(time.Millisecond)), Err: ErrOpen}
	} else {
		err = a.run(ctx)
		class := Class("")
		if err != nil {
			class = err.Class
		}
		e.breakers.done(&s.hash, class, time.Now())
	}
	e.counters.calls.Add(1)
	a.result.Attempts = a.number
	if err == nil {
		return a.result, nil
	}
	e.counters.failed(err.Class)
	err.Attempts = a.number
	a.result.Value = nil
	return a.result, s.locate(err)
}

// An attempt is a call being made.
type attempt struct {
	engine         *Engine
	script         *Script
	in             Input
	timeout, total time.Duration
	end            time.Time // of the whole call
	queued         time.Time
	number         int
	fetched        bool
	result         Result
}

func (a *attempt) run(ctx context.Context) *Error {
	for {
		a.number++
		a.engine.counters.attempts.Add(1)
		err := a.once(ctx)
		if err == nil || a.number == maxAttempts || a.fetched || ctx.Err() != nil || errors.Is(err, ErrClosed) {
			return err
		}
		switch err.Class {
		case ClassTrap, ClassSaturated, ClassHost:
		default:
			return err
		}
		a.queued = time.Now()
		pause := pauseAfter(a.number, err)
		if !waitUntil(ctx, pause, a.end) {
			return err
		}
	}
}

// waitUntil waits for pause. It is false where that would last until end, and when
// ctx ends before.
func waitUntil(ctx context.Context, pause time.Duration, end time.Time) bool {
	if time.Until(end) <= pause {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// once makes one attempt: it waits for a guest, makes it pristine and runs.
func (a *attempt) once(ctx context.Context) (failed *Error) {
	e := a.engine
	s, err := e.seize(ctx, a.end)
	if err != nil {
		return err
	}
	defer func() { e.giveBack(s, failed) }()
	begun := time.Now()
	e.counters.queue.Record(begun.Sub(a.queued))

	img := e.cache.image(&a.script.hash)
	if img == nil { // dropped from the cache
		if img, err = e.loadInto(ctx, s.guest, a.script, a.end); err != nil {
			return err
		}
		e.cache.put(a.script, img)
		begun = time.Now()
	}
	g := s.guest
	c := g.begin(ctx, earlier(begun.Add(a.timeout), a.end))
	c.limit, c.limits, c.engine, c.fetcher = a.timeout, &e.config.Limits, e, e.fetcher
	c.condition = a.script.source.Condition
	defer g.end()
	defer c.finish()
	if err := g.restore(img); err != nil {
		return &Error{Class: ClassHost, Message: "the operating system has no memory for the guest", Err: errNoRoom}
	}
	g.reseed(rand.Uint64())
	restored := time.Now()
	e.counters.restore.Record(restored.Sub(begun))
	value, problem := g.execute(img, a.in)
	e.counters.run.Record(time.Since(restored))
	e.counters.usedPages(g.pages())
	a.fetched = a.fetched || c.requests != nil
	a.result.Console, a.result.ConsoleTruncated = "", c.consoleFull
	if len(c.console) > 0 {
		a.result.Console = strings.ToValidUTF8(string(c.console), "\ufffd")
	}
	if problem != nil {
		if c.stopped == stopDeadline {
			e.counters.late.Record(time.Since(c.deadline))
		}
		return c.failure(problem)
	}
	a.result.Value = value
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// load compiles a script in some guest.
func (e *Engine) load(ctx context.Context, s *Script) (*image, error) {
	end := time.Now().Add(e.config.Limits.TotalTimeout)
	for number := 1; ; number++ {
		img, err := e.loadOnce(ctx, s, end)
		if err == nil {
			return img, nil
		}
		if number == maxAttempts || !errors.Is(err, errNoRoom) || !waitUntil(ctx, pauseAfter(number, err), end) {
			return nil, s.locate(err)
		}
	}
}

func (e *Engine) loadOnce(ctx context.Context, s *Script, end time.Time) (*image, *Error) {
	slot, err := e.seize(ctx, end)
	if err != nil {
		return nil, err
	}
	img, failed := e.loadInto(ctx, slot.guest, s, end)
	e.giveBack(slot, failed)
	return img, failed
}

// maxImage bounds what one script may hold compiled: source and bytecode of
// 256 KB take about 2 MB.
const maxImage = 16 * mb

// loadInto compiles a script in g and takes the image.
func (e *Engine) loadInto(ctx context.Context, g *guest, s *Script, end time.Time) (*image, *Error) {
	c := g.begin(ctx, earlier(time.Now().Add(e.config.Limits.Timeout), end))
	c.limit, c.engine = e.config.Limits.Timeout, e
	defer g.end()
	if err := g.restore(e.machine.base); err != nil {
		return nil, &Error{Class: ClassHost, Message: "the operating system has no memory for the guest", Err: errNoRoom}
	}
	flags := uint64(evalCompileOnly)
	if s.module {
		flags |= evalModule
	}
	at, err := g.evaluate(s.text, guestFile, flags)
	if err != nil {
		return nil, c.failure(err)
	}
	value := g.u64(at)
	if !s.module {
		// Making the function of a body runs nothing of the author's, unless the body
		// closes it and goes on: then that part runs now, once, within the same limits.
		if value, err = g.invoke(g.f.evalFunction, uint64(g.layout.context), value); err == nil && tagOf(value) == tagException {
			err = g.thrown()
		}
		if err != nil {
			return nil, c.failure(err)
		}
	}
	img := capture(g, e.machine.base)
	g.mapped = false // compiling wrote pages that running does not: have the base mapped anew
	img.value, img.module = value, s.module
	if img.bytes > maxImage {
		return nil, &Error{Class: ClassScript, Message: fmt.Sprintf("the compiled script takes %d bytes, limit %d: shorten it", img.bytes, maxImage)}
	}
	return img, nil
}

// seize waits for a guest until ctx or end.
func (e *Engine) seize(ctx context.Context, end time.Time) (*slot, *Error) {
	s := e.pool.try()
	if s == nil || !e.isReady() {
		var err error
		if s, err = e.wait(ctx, end, s); err != nil {
			return nil, e.refused(err)
		}
	}
	if s.guest == nil {
		g, err := e.machine.instantiate(context.Background())
		if err != nil {
			e.pool.release(s)
			return nil, &Error{Class: ClassHost, Message: strings.TrimPrefix(err.Error(), "js: "), Err: err}
		}
		s.guest = g
	}
	return s, nil
}

// wait is seize where something is not there at once.
func (e *Engine) wait(ctx context.Context, end time.Time, s *slot) (*slot, error) {
	if s != nil {
		e.pool.release(s) // a start is not waited for with a guest in hand
	}
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	if err := e.ready(ctx); err != nil {
		return nil, err
	}
	return e.pool.acquire(ctx)
}

func (e *Engine) isReady() bool {
	select {
	case <-e.started:
		return e.startErr == nil
	default:
		return false
	}
}

func (e *Engine) refused(err error) *Error {
	switch {
	case errors.Is(err, ErrSaturated):
		return &Error{Class: ClassSaturated, Message: fmt.Sprintf("not run: %d calls wait already", e.config.Queue), Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Class: ClassSaturated, Message: fmt.Sprintf("not run: no guest was free in time, and at most %d compute at once: give it more time, or those beside it less", e.config.Parallel), Err: err}
	default:
		return &Error{Class: ClassHost, Message: err.Error(), Err: err}
	}
}

// giveBack returns a slot. A guest that trapped, ran out of memory, was stopped or
// recursed deep is replaced meanwhile: it holds memory that it cannot give back.
func (e *Engine) giveBack(s *slot, failed *Error) {
	g := s.guest
	if !g.broken && !g.deep() && (failed == nil || failed.Class != ClassOOM) {
		e.pool.release(s)
		return
	}
	e.counters.replaced.Add(1)
	e.background.Go(func() {
		_ = g.close(context.Background()) // nothing to be done about it, and nothing depends on it
		s.guest = nil
		if next, err := e.machine.instantiate(context.Background()); err == nil {
			s.guest = next
		} // else the next call tries, and reports it
		e.pool.restock(s)
	})
	e.pool.yield()
}

// execute runs the script of img, whose memory the guest has, and answers its
// result.
func (g *guest) execute(img *image, in Input) (json.RawMessage, error) {
	frame := g.layout.frame
	value, err := img.value, error(nil)
	if img.module {
		if value, err = g.value(g.f.evalFunction, uint64(g.layout.context), img.value); err != nil {
			return nil, err
		}
	}
	g.setU64(frame+frameFunction, value)
	if err := g.take(frame+frameInput, in.Value, "null"); err != nil {
		return nil, err
	}
	if err := g.take(frame+frameContext, in.Context, "{}"); err != nil {
		return nil, err
	}
	if img.module {
		if waits, err := g.enter(img); err != nil {
			return nil, err
		} else if waits {
			return g.await()
		}
	}
	result, err := g.apply(frame+frameFunction, frame+frameInput, frame+frameContext)
	if err == nil && tagOf(g.u64(result)) == tagException {
		err = g.thrown()
	}
	if err != nil {
		return nil, err
	}
	return g.answer(result, 0)
}

// take makes the value of text, which is JSON, at address at.
func (g *guest) take(at uint32, text []byte, empty string) error {
	if len(text) == 0 {
		text = []byte(empty)
	}
	value, ok, err := g.build(text)
	if err != nil {
		return err
	}
	if !ok { // something rare, or not JSON at all
		source, err := g.text(text)
		if err != nil {
			return err
		}
		made, err := g.apply(g.layout.drivers[driverParse], source)
		if err != nil {
			return err
		}
		if value = g.u64(made); tagOf(value) == tagException {
			return g.thrown()
		}
	}
	g.setU64(at, value)
	return nil
}

// answer turns the result at address at into JSON, or a condition's into true or
// false; how says whether a promise was awaited already.
func (g *guest) answer(at uint32, how uint64) (json.RawMessage, error) {
	limit := g.call.limits.ResultBytes
	if g.call.condition {
		if truth, known := g.truth(at); known {
			return strconv.AppendBool(nil, truth), nil
		}
		how |= forCondition
	} else if text, ok := g.plain(at, limit); ok {
		return bytes.Clone(text), nil
	}
	mode := g.layout.frame + frameMode
	g.setU64(mode, how)
	text, answer, err := g.drive(driverAnswer, at, mode)
	switch {
	case err != nil:
		return nil, err
	case answer == answerPending:
		return g.await()
	case answer == answerUndefined:
		return json.RawMessage("null"), nil
	case answer == answerTrue:
		return json.RawMessage("true"), nil
	case answer == answerFalse:
		return json.RawMessage("false"), nil
	}
	result, size, err := g.read(text, limit)
	if err == nil && size > limit {
		err = &resultSizeError{size, limit}
	}
	return result, err
}

// enter puts what a module exports where a body's function lies. The frame has the
// promise of the module's evaluation; waits reports that it is not settled.
func (g *guest) enter(img *image) (waits bool, err error) {
	frame, context := g.layout.frame, uint64(g.layout.context)
	namespace, err := g.value(g.f.namespace, context, uint64(uint32(img.value)))
	if err != nil {
		return false, err
	}
	g.setU64(frame+frameNamespace, namespace)
	state, err := g.invoke(g.f.promiseState, uint64(frame+frameFunction))
	if err != nil {
		return false, err
	}
	const pending, rejected = 0, 2
	switch uint32(state) {
	case pending: // the module's top level awaits
		_, _, err = g.drive(driverLoad, frame+frameFunction, frame+frameNamespace, frame+frameInput, frame+frameContext)
		return true, err
	case rejected:
		reason, err := g.pointer(g.f.promiseResult, uint64(frame+frameFunction))
		if err != nil {
			return false, err
		}
		return false, g.described(driverDescribe, reason)
	}
	name := frame + frameText
	g.mem.WriteString(name, "default\x00")
	function, err := g.value(g.f.property, context, namespace, uint64(name))
	if err != nil {
		return false, err
	}
	g.setU64(frame+frameFunction, function)
	if is, err := g.invoke(g.f.isFunction, context, function); err != nil || uint32(is) != 0 {
		return false, err
	}
	_, _, err = g.drive(driverMissing) // throws
	return false, err
}

// await runs jobs, timers and answers of requests until the script's promise is
// settled. While it waits for the host, other guests have the processor.
func (g *guest) await() (json.RawMessage, error) {
	c := g.call
	for {
		if err := g.drain(); err != nil {
			return nil, err
		}
		_, state, err := g.drive(driverState)
		switch {
		case err != nil:
			return nil, err
		case state == answerFailed:
			return nil, g.described(driverDescribeFailure)
		case state == answerFulfilled:
			value, err := g.apply(g.layout.drivers[driverValue])
			if err != nil {
				return nil, err
			}
			return g.answer(value, whenSettled)
		}
		if err := g.hostEvent(c); err != nil {
			return nil, err
		}
	}
}

// drain runs the promise jobs that are ready.
func (g *guest) drain() error {
	for n := 0; ; n++ {
		pending, err := g.invoke(g.f.jobPending)
		if err != nil {
			return err
		}
		if uint32(pending) == 0 {
			return nil
		}
		if n&63 == 63 && g.call.stop() { // jobs that are too short to burn fuel
			g.broken = true
			return errTrap
		}
		code, err := g.invoke(g.f.runJob)
		if err != nil {
			return err
		}
		if int32(uint32(code)) < 0 {
			return g.thrown()
		}
	}
}

// hostEvent waits for the next timer or answer and hands it to the guest.
func (g *guest) hostEvent(c *call) error {
	next, hasTimer := c.nextTimer()
	if !hasTimer && !c.requests.pending() {
		return errNeverSettles
	}
	var done *answerOf
	if wait := time.Until(next.at); !hasTimer || wait > 0 {
		g.unwatch()
		c.engine.pool.yield()
		done = c.sleep(next, hasTimer)
		c.engine.pool.resume()
	}
	if c.stop() {
		return errTrap
	}
	if done == nil {
		if !hasTimer {
			return nil
		}
		c.cancelTimer(next.id)
		_, _, err := g.drive(driverFire, g.number(next.id))
		return err
	}
	text, err := g.text(done.text)
	if err != nil {
		return err
	}
	_, _, err = g.drive(driverSettle, g.number(done.id), text)
	return err
}

// number puts a small integer where the driver takes it.
func (g *guest) number(v uint32) uint32 {
	at := g.layout.frame + frameInput
	g.setU64(at, uint64(v))
	return at
}

// sleep waits for the timer, an answer or the call's end; nil is not an answer.
func (c *call) sleep(next timer, hasTimer bool) *answerOf {
	until := c.deadline
	if hasTimer {
		until = earlier(until, next.at)
	}
	clock := time.NewTimer(time.Until(until))
	defer clock.Stop()
	var answers <-chan answerOf
	if c.requests != nil {
		answers = c.requests.answers
	}
	select {
	case <-clock.C:
	case <-c.ctx.Done():
	case <-c.engine.killed:
	case a := <-answers:
		c.requests.open--
		return &a
	}
	return nil
}
