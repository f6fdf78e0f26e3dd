package js

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/ringmill/ringmill/runtime/js/internal/guestmem"
)

var Supported = supported

// GuestMemory restores the guest that e uses next to the script's image and returns
// a copy of all its memory.
func GuestMemory(e *Engine, s *Script) []byte {
	slot, err := e.seize(context.Background(), time.Now().Add(time.Minute))
	if err != nil {
		panic(err)
	}
	defer e.pool.release(slot)
	if err := slot.guest.restore(e.cache.image(&s.hash)); err != nil {
		panic(err)
	}
	return bytes.Clone(slot.guest.bytes(0, slot.guest.mem.Size()))
}

// RawGuestMemory is the memory as the last call left it.
func RawGuestMemory(e *Engine) []byte {
	slot, err := e.seize(context.Background(), time.Now().Add(time.Minute))
	if err != nil {
		panic(err)
	}
	defer e.pool.release(slot)
	return bytes.Clone(slot.guest.bytes(0, slot.guest.mem.Size()))
}

// Scribble makes a call of s whose guest writes anywhere, as one with a memory error
// would, and returns what restoring it leaves different: nothing, it is hoped.
func Scribble(e *Engine, s *Script, write func(memory []byte)) (wrong int, mapped bool) {
	slot, err := e.seize(context.Background(), time.Now().Add(time.Minute))
	if err != nil {
		panic(err)
	}
	defer e.pool.release(slot)
	g, img := slot.guest, e.cache.image(&s.hash)
	restore := func() []byte {
		g.begin(context.Background(), time.Now().Add(time.Minute))
		defer g.end()
		if err := g.restore(img); err != nil {
			panic(err)
		}
		before := bytes.Clone(g.bytes(g.layout.sp, img.pages*pageSize-g.layout.sp))
		if write != nil {
			write(g.bytes(g.layout.sp, img.pages*pageSize-g.layout.sp))
		}
		return before
	}
	before := restore()
	write = nil
	for i, b := range restore() {
		if b != before[i] {
			wrong++
		}
	}
	return wrong, g.machine.shared != nil
}

func CheckAddress(f Fetch, address string) error { return newFetcher(f).checkAddress(address) }

func AllowsHost(f Fetch, host string) bool { return f.allows(host) }

// NewBreakers returns what Run asks before and tells after a call.
func NewBreakers(failures int, window time.Duration) (allow func(script byte, now time.Time) bool, done func(script byte, class Class, now time.Time), known func() int) {
	b := &breakers{failures: failures, window: window, byHash: map[[32]byte]*list.Element{}}
	allow = func(script byte, now time.Time) bool { _, ok := b.allow(&[32]byte{script}, now); return ok }
	done = func(script byte, class Class, now time.Time) { b.done(&[32]byte{script}, class, now) }
	return allow, done, func() int { return len(b.byHash) }
}

// Readable reports whether the host reads results and writes inputs itself.
func Readable(e *Engine) bool { return e.machine.layout.readable }

// ReadScribbled has s called by a guest, then lets the host read the result after
// some of the memory that it lies in was overwritten.
func ReadScribbled(e *Engine, s *Script, random *rand.Rand) {
	slot, failed := e.seize(context.Background(), time.Now().Add(time.Minute))
	if failed != nil {
		panic(failed)
	}
	defer e.pool.release(slot)
	g, img := slot.guest, e.cache.image(&s.hash)
	g.begin(context.Background(), time.Now().Add(time.Minute))
	defer g.end()
	if err := g.restore(img); err != nil {
		panic(err)
	}
	frame := g.layout.frame
	g.setU64(frame+frameFunction, img.value)
	at, err := g.apply(frame + frameFunction)
	if err != nil {
		panic(err)
	}
	value := uint32(g.u64(at))
	targets := []uint32{at, value, g.u32(value + objectValues), g.u32(value + objectShape), g.u32(g.u32(value + objectValues))}
	for _, at := range targets[2:] {
		targets = append(targets, g.u32(at+objectShape), g.u32(at+objectProps))
	}
	for range 1 + random.IntN(4) {
		at := targets[random.IntN(len(targets))] + uint32(random.IntN(20))*4
		switch random.IntN(4) {
		case 0:
			g.setU32(at, random.Uint32())
		case 1:
			g.setU32(at, targets[random.IntN(len(targets))])
		case 2:
			g.setU32(at, g.u32(at)^1<<random.IntN(32))
		default:
			g.setU32(at, ^uint32(random.IntN(64)))
		}
	}
	g.plain(at, 4<<20)
}

// RefuseMemory has the operating system refuse the memory of the next guests of e,
// which must not have any yet, as often as times says.
func RefuseMemory(e *Engine, times int) {
	if err := e.ready(context.Background()); err != nil {
		panic(err)
	}
	reserve := e.machine.reserve
	var asked atomic.Int64
	e.machine.reserve = func(size uint64) (*guestmem.Memory, error) {
		if asked.Add(1) <= int64(times) {
			return nil, errors.New("refused by the test")
		}
		return reserve(size)
	}
}

// Parallel is how many guests compute at once with c.
func Parallel(c Config) (int, error) {
	c, err := c.withDefaults()
	return c.Parallel, err
}
