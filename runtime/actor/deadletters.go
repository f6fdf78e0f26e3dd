package actor

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ringmill/ringmill/mailbox"
)

// maxKeptLetters bounds SystemConfig.KeepDeadLetters.
const maxKeptLetters = 1 << 16

// SubscribeDeadLetters has the dead letters of all actors of sys told to subscriber,
// except those of subscribers themselves. convert makes the message, or reports false for letters that do not
// matter; it is called where the letter comes up and must not block. A letter that finds
// the subscriber's mailbox full is not told, and counted in Stats.DroppedEvents.
//
// The subscription ends with cancel or with the subscriber.
func SubscribeDeadLetters[M any](sys *System, subscriber Ref[M], convert func(DeadLetter) (M, bool)) (cancel func()) {
	a := subscriber.actor
	if a == nil {
		return func() {}
	}
	s := &letterSubscription{subscriber: &a.cell, tell: func(d DeadLetter) error {
		m, ok := convert(d)
		if !ok {
			return nil
		}
		return a.offer(m, nil)
	}}
	a.flags.Or(flagLetters)
	sys.letters.replace(func(subs []*letterSubscription) []*letterSubscription { return append(subs, s) })
	return func() { sys.letters.remove(s) }
}

// DeadLetters returns the last SystemConfig.KeepDeadLetters dead letters, the oldest first.
func (s *System) DeadLetters() []DeadLetter {
	l := &s.letters
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kept) < cap(l.kept) {
		return slices.Clone(l.kept)
	}
	return slices.Concat(l.kept[l.oldest:], l.kept[:l.oldest])
}

type letterSubscription struct {
	subscriber *cell
	tell       func(DeadLetter) error // nil, mailbox.ErrFull, mailbox.ErrClosed
}

// letterStream is where dead letters go besides OnDeadLetter.
type letterStream struct {
	subscriptions atomic.Pointer[[]*letterSubscription] // replaced as a whole; nil when there are none
	dropped       atomic.Uint64

	mu     sync.Mutex   // guards the rest, and is held by who replaces subscriptions
	kept   []DeadLetter // a ring of the latest, full when len == cap
	oldest int
}

func (l *letterStream) keep(n int) { l.kept = make([]DeadLetter, 0, n) }

func (l *letterStream) remove(sub *letterSubscription) {
	l.replace(func(subs []*letterSubscription) []*letterSubscription {
		return slices.DeleteFunc(subs, func(x *letterSubscription) bool { return x == sub })
	})
}

func (l *letterStream) replace(change func([]*letterSubscription) []*letterSubscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var subs []*letterSubscription
	if old := l.subscriptions.Load(); old != nil {
		subs = slices.Clone(*old)
	}
	if subs = change(subs); len(subs) == 0 {
		l.subscriptions.Store(nil)
		return
	}
	l.subscriptions.Store(&subs)
}

func (l *letterStream) record(d DeadLetter) {
	if cap(l.kept) == 0 { // does not change
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kept) < cap(l.kept) {
		l.kept = append(l.kept, d)
		return
	}
	l.kept[l.oldest] = d
	l.oldest = (l.oldest + 1) % len(l.kept)
}

// deadLetter counts and reports a message of c that no handler will see.
func (c *cell) deadLetter(message any, reason error) {
	s := c.system
	s.deadLetters.Add(1)
	d := DeadLetter{Actor: c.name, Message: message, Reason: reason}
	s.letters.record(d)
	if s.config.OnDeadLetter != nil {
		s.tellLetterHook(d)
	}
	// A subscriber's own dead letters would breed others.
	if subs := s.letters.subscriptions.Load(); subs != nil && c.flags.Load()&flagLetters == 0 {
		for _, sub := range *subs {
			s.tellLetter(sub, d)
		}
	}
}

func (s *System) tellLetterHook(d DeadLetter) {
	defer s.containHook()
	s.config.OnDeadLetter(d)
}

func (s *System) tellLetter(sub *letterSubscription, d DeadLetter) {
	defer s.containHook() // convert is the user's
	switch sub.tell(d) {
	case mailbox.ErrFull:
		s.letters.dropped.Add(1)
	case mailbox.ErrClosed:
		s.letters.remove(sub)
	}
}
