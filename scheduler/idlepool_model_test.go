package scheduler_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
)

// The places a thread of the idle pool model can be at.
const (
	ended      = iota // assigner: has returned; member: its Next has answered false
	peek              // about to load queued
	scan              // assigner: about to load the bit of member word
	take              // assigner: about to clear that bit
	lock              // about to lock
	push              // assigner: about to push, or to exchange if the queue is full
	publishLen        // assigner: about to store queued, then scans again
	popItem           // about to pop
	setBit            // member: about to set its bit
	peekAgain         // member: about to load queued once more
	takeBack          // member: about to clear its own bit
	busy              // member: works on an item
)

const (
	modelMembers = 2
	modelAssigns = 4
)

type poolThread struct {
	at     int8
	locked bool // assigner: holds the lock (its second scan)
	full   bool // assigner: found the queue full
	first  int8 // assigner: where its scan began
	word   int8 // assigner: the member it looks at
}

// poolModel is the state of the idle pool's protocol. Each member's bit counts as
// a word of its own, which is the harder case: a scan does not see all at one moment.
type poolModel struct {
	limit     int8
	bits      [modelMembers]bool
	n, queued int8 // the queue's length, and what the lock-free paths see of it
	held      bool // the lock
	inbox     [modelMembers]int8
	done      int8
	refused   int8
	assigners [modelAssigns]poolThread
	members   [modelMembers]poolThread
}

type poolFaults struct {
	noPeekAgain bool // Next does not load queued after its bit
	noScanAgain bool // Assign does not scan after its push
}

// next takes one step of each thread; a scan may begin at either member.
func (s poolModel) next(f poolFaults) []poolModel {
	var after []poolModel
	add := func(n poolModel) {
		slices.SortFunc(n.assigners[:], poolThread.compare)
		after = append(after, n)
	}
	for i, a := range s.assigners {
		if a.at == ended || a.at == lock && s.held {
			continue
		}
		n := s
		if n.stepAssigner(&n.assigners[i], f); n.assigners[i].at != scan || a.at == scan || a.at == take {
			add(n)
			continue
		}
		for first := range int8(modelMembers) { // a scan begins
			n.assigners[i].first, n.assigners[i].word = first, first
			add(n)
		}
	}
	for i, m := range s.members {
		if m.at == lock && s.held || m.at == ended && s.inbox[i] == 0 {
			continue
		}
		n := s
		n.stepMember(i, f)
		add(n)
	}
	return after
}

func (a poolThread) compare(b poolThread) int {
	key := func(t poolThread) int {
		k := int(t.at)<<8 | int(t.first)<<4 | int(t.word)<<2
		if t.locked {
			k |= 2
		}
		if t.full {
			k |= 1
		}
		return k
	}
	return cmp.Compare(key(a), key(b))
}

func (s *poolModel) stepAssigner(a *poolThread, f poolFaults) {
	switch a.at {
	case peek:
		a.at = scan
		if s.queued > 0 {
			a.at = lock
		}
	case scan:
		if s.bits[a.word] {
			a.at = take
		} else {
			s.scanOn(a)
		}
	case take:
		if !s.bits[a.word] {
			a.at = scan // somebody was faster: load the word again
			return
		}
		s.bits[a.word] = false
		if a.locked && !a.full {
			a.at = popItem
			return
		}
		// The new item, or in exchange for it the oldest: the length stays.
		s.give(a)
	case lock:
		s.held, a.locked = true, true
		a.at = push
	case push:
		if s.n == s.limit {
			a.full = true
			a.at = scan
			return
		}
		s.n++
		a.at = publishLen
	case publishLen:
		s.queued = s.n
		a.at = scan
		if f.noScanAgain {
			s.held = false
			*a = poolThread{}
		}
	case popItem:
		s.n--
		s.queued = s.n // one step: in between, a look at queued only leads to the lock
		s.give(a)
	}
}

// scanOn goes to the next word, or ends a scan that has found none.
func (s *poolModel) scanOn(a *poolThread) {
	a.word = (a.word + 1) % modelMembers
	if a.word != a.first {
		return
	}
	if !a.locked {
		*a = poolThread{at: lock}
		return
	}
	if a.full {
		s.refused++
	}
	s.held = false
	*a = poolThread{}
}

// give hands an item to the member whose bit a has cleared.
func (s *poolModel) give(a *poolThread) {
	s.inbox[a.word]++
	if a.locked {
		s.held = false
	}
	*a = poolThread{}
}

func (s *poolModel) stepMember(i int, f poolFaults) {
	m := &s.members[i]
	switch m.at {
	case ended: // woken by an item
		s.inbox[i]--
		m.at = busy
	case busy:
		s.done++
		m.at = peek
	case peek:
		m.at = setBit
		if s.queued > 0 {
			m.at = lock
		}
	case setBit:
		s.bits[i] = true
		m.at = peekAgain
		if f.noPeekAgain {
			m.at = ended
		}
	case peekAgain:
		m.at = ended
		if s.queued > 0 {
			m.at = takeBack
		}
	case takeBack:
		m.at = ended
		if s.bits[i] {
			s.bits[i] = false
			m.at = lock
		}
	case lock:
		s.held = true
		m.at = popItem
	case popItem:
		s.held = false
		if s.n == 0 {
			s.bits[i] = true
			m.at = ended
			return
		}
		s.n--
		s.queued = s.n
		m.at = busy
	}
}

func (s poolModel) invariant() string {
	for i, m := range s.members {
		if s.inbox[i] > 1 || s.inbox[i] > 0 && (s.bits[i] || m.at == busy) {
			return fmt.Sprintf("I1: member %d has %d items waiting, bit %v, busy %v", i, s.inbox[i], s.bits[i], m.at == busy)
		}
		if !s.held && s.queued > 0 && s.bits[i] && m.at == ended {
			return fmt.Sprintf("I2: member %d is settled as idle beside %d queued items", i, s.queued)
		}
	}
	if s.n < 0 || s.n > s.limit {
		return fmt.Sprintf("I3: %d queued, limit %d", s.n, s.limit)
	}
	return ""
}

func (s poolModel) final() string {
	if s.done+s.refused != modelAssigns || s.n != 0 {
		return fmt.Sprintf("at rest with %d done, %d refused of %d, %d queued", s.done, s.refused, modelAssigns, s.n)
	}
	if s.bits != [modelMembers]bool{true, true} {
		return fmt.Sprintf("at rest with idle bits %v", s.bits)
	}
	return ""
}

// TestIdlePoolModel explores every interleaving of four Assigns with two members,
// of which both, one or none are idle at first: every item is done once or
// refused, nothing is stranded, and I1 to I3 hold in every state.
func TestIdlePoolModel(t *testing.T) {
	start := func(limit int8, idle int) poolModel {
		s := poolModel{limit: limit}
		for i := range s.assigners {
			s.assigners[i].at = peek
		}
		for i := range s.members {
			if s.bits[i] = i < idle; !s.bits[i] {
				s.members[i].at = peek // it has just finished an item
			}
		}
		return s
	}
	check := func(s poolModel, f poolFaults) (int, string) {
		return explore(s, func(s poolModel) []poolModel { return s.next(f) }, poolModel.invariant, poolModel.final)
	}
	for limit := range int8(4) {
		for idle := range modelMembers + 1 {
			if testing.Short() && limit > 1 {
				continue
			}
			states, problem := check(start(limit, idle), poolFaults{})
			mustHold(t, fmt.Sprintf("limit=%d idle=%d", limit, idle), states, problem)
		}
	}
	states, problem := check(start(2, 0), poolFaults{noPeekAgain: true})
	mustBreak(t, "no second look at the queue", states, problem)
	states, problem = check(start(2, 0), poolFaults{noScanAgain: true})
	mustBreak(t, "no second scan of the bits", states, problem)
}
