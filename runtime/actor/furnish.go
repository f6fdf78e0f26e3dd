package actor

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/ringmill/ringmill/mailbox"
)

// furnished reports whether the actor needs more than the plain ring and its handler.
func (c *Config) furnished() bool {
	return c.Overflow != mailbox.Fail || c.Priority.level != nil || c.StashCapacity != 0 || len(c.Middleware) > 0 ||
		c.PassivateAfter != 0 || c.Sample
}

// furnish gives an actor that nobody knows yet what furnished has found.
func (a *actor[M]) furnish(cfg Config) error {
	if cfg.StashCapacity < 0 || cfg.StashCapacity > mailbox.MaxCapacity {
		return fmt.Errorf("StashCapacity is %d; want 1 to %d, or 0 for MailboxCapacity", cfg.StashCapacity, mailbox.MaxCapacity)
	}
	if cfg.PassivateAfter != 0 && cfg.PassivateAfter < time.Millisecond {
		return fmt.Errorf("PassivateAfter is %v; want 1ms or more, or 0 for never", cfg.PassivateAfter)
	}
	if err := a.furnishMailbox(cfg); err != nil {
		return err
	}
	if cfg.StashCapacity != 0 {
		a.extras().stashCapacity = cfg.StashCapacity
	}
	return a.furnishHandler(cfg)
}

// furnishHandler puts middleware and the sampler around the handler.
func (a *actor[M]) furnishHandler(cfg Config) error {
	outer, err := wrapper(a, a.system.config.Middleware, false)
	if err != nil {
		return fmt.Errorf("SystemConfig.%w", err)
	}
	inner, err := wrapper(a, cfg.Middleware, true)
	if err != nil {
		return err
	}
	wraps := []func(handler[M]) handler[M]{inner, outer}
	if a.observed != nil && a.observed.sampler != nil {
		wraps = append(wraps, func(next handler[M]) handler[M] { return sampled(a.observed.sampler, next) })
	}
	if wraps = slices.DeleteFunc(wraps, func(w func(handler[M]) handler[M]) bool { return w == nil }); len(wraps) == 0 {
		return nil
	}
	x := a.extras()
	x.wrap = func(h handler[M]) handler[M] {
		for _, wrap := range wraps {
			h = wrap(h)
		}
		return h
	}
	a.handler = x.wrap(a.handler)
	x.base = a.handler
	return nil
}

// furnishMailbox replaces the plain ring if the configuration asks for more.
func (a *actor[M]) furnishMailbox(cfg Config) error {
	sample := cfg.Sample || a.system.config.Sample
	if cfg.Overflow == mailbox.Fail && cfg.Priority.level == nil && !sample {
		return nil
	}
	if cfg.Overflow == mailbox.Wait || cfg.Overflow > mailbox.DropOldest {
		return fmt.Errorf("Config.Overflow is %d; want mailbox.Fail, DropNewest or DropOldest, and TellWait to wait", cfg.Overflow)
	}
	if cfg.Overflow == mailbox.DropOldest && cfg.Priority.level != nil {
		return fmt.Errorf("Config.Overflow is DropOldest with a Priority, which has no single oldest message; use DropNewest")
	}
	var level func(M) mailbox.Level
	if cfg.Priority.level != nil {
		var ok bool
		if level, ok = cfg.Priority.level.(func(M) mailbox.Level); !ok {
			return fmt.Errorf("Priority is a %T; want one for the actor's messages, %v", cfg.Priority.level, reflect.TypeFor[M]())
		}
		if cfg.MailboxKind != "" && cfg.MailboxKind != mailbox.KindMPSC {
			return fmt.Errorf("MailboxKind is %q with a Priority; want %q", cfg.MailboxKind, mailbox.KindMPSC)
		}
	}
	o := &observed{}
	a.observed = o
	var drop func(M)
	if cfg.Overflow != mailbox.Fail {
		drop = func(m M) {
			o.dropped.Add(1) // not by way of a, whose line the consumer writes
			a.system.dropped.Add(1)
			a.deadLetter(m, ErrOverflow)
		}
	}
	if !sample {
		box, err := newBox(cfg.MailboxKind, a.mailbox.Cap(), cfg.Overflow, level, drop)
		if err == nil {
			a.mailbox.other = box.other // with all this never the plain ring
		}
		return err
	}
	s := &sampler{}
	o.sampler = s
	box, err := newBox(cfg.MailboxKind, a.mailbox.Cap(), cfg.Overflow, stampedLevel(level), stampedDrop(drop))
	if err != nil {
		return err
	}
	a.mailbox.other = &otherKind[M]{Queue: &sampledQueue[M]{box: box, sampler: s}, capacity: box.Cap()}
	return nil
}

// newBox makes a mailbox of a kind with a priority, if level is not nil, and an overflow policy.
func newBox[T any](kind string, capacity int, overflow mailbox.Overflow, level func(T) mailbox.Level, drop func(T)) (*inbox[T], error) {
	if overflow == mailbox.DropOldest {
		if kind != "" && kind != mailbox.KindMPSC {
			return nil, fmt.Errorf("MailboxKind is %q with Overflow DropOldest; want %q", kind, mailbox.KindMPSC)
		}
		queue := &dropOldest[T]{ring: mailbox.NewMPSC[T](capacity), drop: drop}
		return &inbox[T]{other: &otherKind[T]{Queue: queue, capacity: capacity}}, nil
	}
	box := &new(lone[T]).inbox
	if level != nil {
		queue := &priorityQueue[T]{Priority: mailbox.NewPriority[T](capacity), level: level}
		box.other = &otherKind[T]{Queue: queue, capacity: capacity}
	} else if err := box.init(kind, capacity); err != nil {
		return nil, err
	}
	if overflow == mailbox.DropNewest {
		box = &inbox[T]{other: &otherKind[T]{Queue: &dropNewest[T]{box: box, drop: drop}, capacity: capacity}}
	}
	return box, nil
}
