package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// DefaultEntries is how many results a cache holds unless its Config says
// otherwise.
const DefaultEntries = 10_000

// A Config bounds a cache. The zero value is valid.
type Config struct {
	// Entries is how many results it holds, 1 to 1e8; those that are less likely
	// to be wanted again make room. Defaults to DefaultEntries.
	Entries int
	// Bytes, if not 0, bounds the sum of the sizes of results, as Size counts
	// them, in place of Entries. What is larger by itself is not kept.
	Bytes int64
	// Size counts a result in bytes, at least 1. Defaults to the length of
	// strings, JSON and slices of bytes plus 64, and to 64 for everything else.
	Size func(v any) int
	// Now is the clock, in nanoseconds. Defaults to the wall clock.
	Now func() int64
}

// A Cache holds results by key. Its methods are safe for concurrent use; only
// [Cache.Do] blocks. Make one with [New].
//
// Invariants:
//
//	I1  a key has at most one flight; who began it is the only leader of the key
//	    until Succeed or Fail
//	I2  each follower's function is called exactly once unless it left
//	I3  Succeed stores the result before it ends the flight, so whoever finds no
//	    flight finds the result, or leads
type Cache struct {
	store  *otter.Cache[string, entry]
	seed   maphash.Seed
	shards [32]shard

	hits, misses, shared atomic.Uint64
}

// An entry is one result.
type entry struct {
	value any
	ttl   time.Duration
}

// A shard is the part of the keys' flights that shares a lock.
type shard struct {
	mu      sync.Mutex
	flights map[string]*flight
}

// A flight is an execution under way, with those who wait for it.
type flight struct{ followers map[*Follower]struct{} }

// A Follower waits for the result of another one's execution.
type Follower struct {
	key  string
	done func(v any, ok bool)
}

// clock reads the time and never ticks: without ticks the store starts no
// goroutine.
type clock struct{ now func() int64 }

func (c clock) NowNano() int64                    { return c.now() }
func (clock) Tick(time.Duration) <-chan time.Time { return nil }

// New returns an empty cache. The error names every field that cannot be meant.
func New(cfg Config) (*Cache, error) {
	var problems []error
	if cfg.Entries < 0 || cfg.Entries > 1e8 {
		problems = append(problems, fmt.Errorf("Config.Entries is %d; want 1 to 100000000, or 0 for %d", cfg.Entries, DefaultEntries))
	}
	if cfg.Bytes < 0 {
		problems = append(problems, fmt.Errorf("Config.Bytes is %d; want more than 0, or 0 for no such bound", cfg.Bytes))
	}
	if problems != nil {
		return nil, fmt.Errorf("cache: %w", errors.Join(problems...))
	}
	if cfg.Entries == 0 {
		cfg.Entries = DefaultEntries
	}
	if cfg.Now == nil {
		cfg.Now = func() int64 { return time.Now().UnixNano() }
	}
	if cfg.Size == nil {
		cfg.Size = size
	}
	opts := &otter.Options[string, entry]{
		Clock:            clock{cfg.Now},
		Executor:         func(f func()) { f() }, // upkeep is quick, and costs no goroutine
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, entry]) time.Duration { return e.Value.ttl }),
	}
	if cfg.Bytes > 0 {
		opts.MaximumWeight = uint64(cfg.Bytes)
		opts.Weigher = func(key string, e entry) uint32 {
			return uint32(min(max(cfg.Size(e.value), 1)+len(key), math.MaxUint32))
		}
	} else {
		opts.MaximumSize = cfg.Entries
	}
	store, err := otter.New(opts)
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	c := &Cache{store: store, seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].flights = make(map[string]*flight)
	}
	return c, nil
}

func size(v any) int {
	switch v := v.(type) {
	case string:
		return len(v) + 64
	case []byte:
		return len(v) + 64
	case json.RawMessage:
		return len(v) + 64
	}
	return 64
}

// An Outcome tells the caller of Begin what to do.
type Outcome uint8

// The outcomes.
const (
	Hit    Outcome = iota // use the result
	Lead                  // make it, and report with Succeed or Fail
	Follow                // another one makes it and will report
)

// Begin asks for the result of a key. With Hit it returns it. With Lead the caller
// makes it and owes a Succeed or a Fail. With Follow done is called once, on
// the goroutine of whoever leads: with the result, or with false if there is none,
// after which the caller may begin again. done must be quick and must not block.
func (c *Cache) Begin(key string, done func(v any, ok bool)) (v any, f *Follower, outcome Outcome) {
	if e, ok := c.store.GetIfPresent(key); ok {
		c.hits.Add(1)
		return e.value, nil, Hit
	}
	s := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if fl, ok := s.flights[key]; ok {
		f := &Follower{key, done}
		if fl.followers == nil {
			fl.followers = make(map[*Follower]struct{})
		}
		fl.followers[f] = struct{}{}
		c.shared.Add(1)
		return nil, f, Follow
	}
	if e, ok := c.store.GetIfPresent(key); ok { // a flight ended meanwhile
		c.hits.Add(1)
		return e.value, nil, Hit
	}
	s.flights[key] = new(flight)
	c.misses.Add(1)
	return nil, nil, Lead
}

// Leave takes a follower out; it reports false if its function was called or is
// about to be.
func (c *Cache) Leave(f *Follower) bool {
	s := c.shard(f.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	fl, ok := s.flights[f.key]
	if !ok {
		return false
	}
	_, ok = fl.followers[f]
	delete(fl.followers, f)
	return ok
}

// Succeed reports the result of a key that the caller leads: it is kept for ttl,
// 0 is as long as there is room, and handed to all who follow.
func (c *Cache) Succeed(key string, v any, ttl time.Duration) {
	if ttl <= 0 {
		ttl = math.MaxInt64
	}
	c.store.Set(key, entry{v, ttl})
	c.land(key, v, true)
}

// Fail reports that a key that the caller leads has no result; those who follow
// are told.
func (c *Cache) Fail(key string) { c.land(key, nil, false) }

func (c *Cache) land(key string, v any, ok bool) {
	s := c.shard(key)
	s.mu.Lock()
	fl := s.flights[key]
	delete(s.flights, key)
	s.mu.Unlock()
	if fl == nil {
		return
	}
	for f := range fl.followers {
		f.done(v, ok)
	}
}

// Do returns the result of a key: what the cache holds, or what load returns,
// which is kept for ttl if it succeeds. Of several callers at once one loads; when
// it fails, another one tries, with its own load. Do blocks while load runs or
// another caller loads, at most until ctx ends. A load that panics counts as failed.
func (c *Cache) Do(ctx context.Context, key string, ttl time.Duration, load func(context.Context) (any, error)) (v any, hit bool, err error) {
	type answer struct {
		v  any
		ok bool
	}
	for {
		answers := make(chan answer, 1)
		v, f, outcome := c.Begin(key, func(v any, ok bool) { answers <- answer{v, ok} })
		switch outcome {
		case Hit:
			return v, true, nil
		case Lead:
			return c.lead(ctx, key, ttl, load)
		}
		select {
		case a := <-answers:
			if a.ok {
				return a.v, true, nil
			}
		case <-ctx.Done():
			c.Leave(f)
			return nil, false, context.Cause(ctx)
		}
	}
}

func (c *Cache) lead(ctx context.Context, key string, ttl time.Duration, load func(context.Context) (any, error)) (v any, hit bool, err error) {
	landed := false
	defer func() {
		if !landed {
			c.Fail(key)
		}
	}()
	if v, err = load(ctx); err != nil {
		return nil, false, err
	}
	landed = true
	c.Succeed(key, v, ttl)
	return v, false, nil
}

// Delete forgets a key. An execution that is under way is not affected.
func (c *Cache) Delete(key string) { c.store.Invalidate(key) }

// Stats are counts since the cache was made.
type Stats struct {
	Hits   uint64 // results found
	Misses uint64 // executions begun
	Shared uint64 // callers that shared another one's execution
	Length int    // results held now, some of which may have expired
}

// Stats returns the counts now.
func (c *Cache) Stats() Stats {
	return Stats{c.hits.Load(), c.misses.Load(), c.shared.Load(), c.store.EstimatedSize()}
}

func (c *Cache) shard(key string) *shard {
	return &c.shards[maphash.String(c.seed, key)%uint64(len(c.shards))]
}
