package mailbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Queue is what the kinds of mailbox have in common, so that benchmarks, the load generator and a runtime's
// configuration can put one in another's place. The methods keep the contracts of the same methods of MPSC, but for the
// batches of the kind chan and of every registered kind: they go in one by one, so other senders' messages may come in
// between, the consumer may see a part, and if Close comes in between the answer is how many went in and ErrClosed.
type Queue[T any] interface {
	TryEnqueue(v T) error
	TryEnqueueBatch(vs []T) (int, error)
	Drain(dst []T) int
	Ready() bool
	Len() int
	Close()
	Drained() bool
}

// The names of the built-in kinds.
const (
	KindMPSC  = "mpsc"  // the ring that is lock-free in its claim, MPSC
	KindChan  = "chan"  // a buffered Go channel
	KindMutex = "mutex" // a slice ring under a mutex
)

// DefaultKind is the kind to use where a configuration leaves it empty.
const DefaultKind = KindMPSC

var registered = struct {
	sync.Mutex
	kinds map[string]func(capacity int) Queue[any]
}{kinds: map[string]func(capacity int) Queue[any]{}}

// Register adds a kind under a name of its own. A package that brings a kind calls it from an init function, so that
// only programs that import the package link it. It panics if the name is empty or taken.
func Register(kind string, newQueue func(capacity int) Queue[any]) {
	registered.Lock()
	defer registered.Unlock()
	_, taken := registered.kinds[kind]
	if newQueue == nil {
		panic(fmt.Sprintf("mailbox: Register(%q): the constructor is nil", kind))
	}
	if taken || kind == "" || kind == KindMPSC || kind == KindChan || kind == KindMutex {
		panic(fmt.Sprintf("mailbox: Register(%q): the name is empty or taken; choose another", kind))
	}
	registered.kinds[kind] = newQueue
}

// Kinds returns the names that NewKind knows, sorted.
func Kinds() []string {
	registered.Lock()
	defer registered.Unlock()
	kinds := slices.AppendSeq([]string{KindMPSC, KindChan, KindMutex}, maps.Keys(registered.kinds))
	slices.Sort(kinds)
	return kinds
}

// NewKind returns an open, empty queue of the named kind; "" means DefaultKind. A registered kind holds values of
// type any: its queue allocates for each message that is not a pointer, and its batches go in one by one. The error of
// an unknown name lists the known ones. It panics if capacity is not within 1 to MaxCapacity.
func NewKind[T any](kind string, capacity int) (Queue[T], error) {
	switch kind {
	case "", KindMPSC:
		return NewMPSC[T](capacity), nil
	case KindChan:
		return newChanQueue[T](capacity), nil
	case KindMutex:
		return newMutexQueue[T](capacity), nil
	}
	registered.Lock()
	newQueue := registered.kinds[kind]
	registered.Unlock()
	if newQueue == nil {
		return nil, fmt.Errorf("mailbox: unknown kind %q; want one of %s", kind, strings.Join(Kinds(), ", "))
	}
	checkCapacity(capacity)
	return &typed[T]{Queue: newQueue(capacity)}, nil
}

// typed makes a Queue[T] of a queue that holds any.
type typed[T any] struct {
	Queue[any]
	taken [64]any // where Drain takes messages out; belongs to the consumer
}

func (q *typed[T]) TryEnqueue(v T) error { return q.Queue.TryEnqueue(v) }

func (q *typed[T]) TryEnqueueBatch(vs []T) (int, error) {
	for i, v := range vs {
		if err := q.Queue.TryEnqueue(v); err != nil {
			return i, err
		}
	}
	return len(vs), nil
}

func (q *typed[T]) Drain(dst []T) int {
	done := 0
	for done < len(dst) {
		want := min(len(dst)-done, len(q.taken))
		n := q.Queue.Drain(q.taken[:want])
		for i := range n {
			dst[done+i], _ = q.taken[i].(T) // fails only for a nil of an interface type, whose zero value it is
		}
		clear(q.taken[:n])
		done += n
		if n < want {
			break
		}
	}
	return done
}
