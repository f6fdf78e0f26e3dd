package actor

import (
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/mailbox"
)

// sampleEvery is how many messages there are to one that is measured.
const sampleEvery = 64

// observed is what ActorStats shows beyond what every actor counts.
type observed struct {
	dropped atomic.Uint64 // by Config.Overflow
	sampler *sampler      // nil without Config.Sample
}

// sampler measures how long messages wait and how long they take, for actors with
// Config.Sample.
type sampler struct {
	sent    atomic.Uint64 // messages offered: chooses those to be stamped
	wait    measure
	service measure
	chosen  bool // the message just taken out is stamped; belongs to the actor's side
}

// measure is a few numbers about durations. The actor's side writes it, anybody reads it.
type measure struct {
	count, total, largest atomic.Int64
}

func (m *measure) add(d time.Duration) {
	m.count.Add(1)
	m.total.Add(int64(d))
	if int64(d) > m.largest.Load() {
		m.largest.Store(int64(d))
	}
}

func (m *measure) times() Times {
	t := Times{Count: uint64(m.count.Load()), Max: time.Duration(m.largest.Load())}
	if t.Count > 0 {
		t.Mean = time.Duration(m.total.Load() / int64(t.Count))
	}
	return t
}

// stamped is a message and when it was sent, since epoch; 0 for those that are not measured.
type stamped[M any] struct {
	message M
	sent    time.Duration
}

// sampledQueue stamps one message in sampleEvery.
type sampledQueue[M any] struct {
	box     *inbox[stamped[M]]
	sampler *sampler
}

func (q *sampledQueue[M]) TryEnqueue(m M) error {
	s := stamped[M]{message: m}
	if q.sampler.sent.Add(1)%sampleEvery == 1 {
		if s.sent = time.Since(epoch); s.sent == 0 {
			s.sent = 1 // not 0, which says that it is not measured
		}
	}
	return q.box.TryEnqueue(s)
}

func (q *sampledQueue[M]) Drain(dst []M) int {
	for i := range dst {
		s, ok := q.box.TryDequeue()
		if !ok {
			return i
		}
		dst[i] = s.message
		if q.sampler.chosen = s.sent != 0; q.sampler.chosen {
			q.sampler.wait.add(time.Since(epoch) - s.sent)
		}
	}
	return len(dst)
}

func (q *sampledQueue[M]) TryEnqueueBatch(ms []M) (int, error) { return enqueueEach(ms, q.TryEnqueue) }
func (q *sampledQueue[M]) Ready() bool                         { return q.box.Ready() }
func (q *sampledQueue[M]) Len() int                            { return q.box.Len() }
func (q *sampledQueue[M]) Close()                              { q.box.Close() }
func (q *sampledQueue[M]) Drained() bool                       { return q.box.Drained() }

// sampled times next for a message that is stamped. One that fails by a panic is not counted.
func sampled[M any](s *sampler, next handler[M]) handler[M] {
	return func(c *Context[M], m M) error {
		if !s.chosen {
			return next(c, m)
		}
		s.chosen = false
		began := time.Since(epoch)
		err := next(c, m)
		s.service.add(time.Since(epoch) - began)
		return err
	}
}

func stampedLevel[M any](level func(M) mailbox.Level) func(stamped[M]) mailbox.Level {
	if level == nil {
		return nil
	}
	return func(s stamped[M]) mailbox.Level { return level(s.message) }
}

func stampedDrop[M any](drop func(M)) func(stamped[M]) {
	if drop == nil {
		return nil
	}
	return func(s stamped[M]) { drop(s.message) }
}
