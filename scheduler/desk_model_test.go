package scheduler_test

import (
	"fmt"
	"testing"
)

// deskModel is the protocol of a desk reduced to its atomic steps, for three goroutines that
// each offer one item and then, if they have claimed the member, are the member.
type deskModel struct {
	claimed, taken int8 // positions of the mail
	published      [deskThreads]bool
	idle           bool
	threads        [deskThreads]deskThread

	looksAfter bool // as it should be: take looks at the mail after it has stored idle
	asksIdle   bool // as it should be: offer looks at idle after it has published
}

const deskThreads = 3

type deskThread struct {
	at       deskStep
	position int8
}

type deskStep int8

const (
	deskClaim   deskStep = iota // a position of the mail
	deskPublish                 // the item
	deskWake                    // CAS idle -> busy
	deskTake                    // dequeue
	deskRest                    // store idle
	deskLook                    // is the mail ready?
	deskReturn                  // CAS idle -> busy
	deskEnd
)

func (m deskModel) ready() bool { return m.taken < deskThreads && m.published[m.taken] }

func (m deskModel) step(i int) deskModel {
	t := &m.threads[i]
	switch t.at {
	case deskClaim:
		t.position, t.at = m.claimed, deskPublish
		m.claimed++
	case deskPublish:
		m.published[t.position], t.at = true, deskWake
		if !m.asksIdle {
			t.at = deskEnd
		}
	case deskWake, deskReturn:
		if m.idle {
			m.idle, t.at = false, deskTake
		} else {
			t.at = deskEnd
		}
	case deskTake:
		if m.ready() {
			m.taken++ // works on it, and comes back for the next
		} else {
			t.at = deskRest
		}
	case deskRest:
		m.idle, t.at = true, deskLook
		if !m.looksAfter {
			t.at = deskEnd
		}
	case deskLook:
		t.at = deskEnd
		if m.ready() {
			t.at = deskReturn
		}
	}
	return m
}

func (m deskModel) next() []deskModel {
	var after []deskModel
	for i := range m.threads {
		if m.threads[i].at != deskEnd {
			after = append(after, m.step(i))
		}
	}
	return after
}

// oneMember is invariant D1.
func (m deskModel) oneMember() string {
	members := 0
	for _, t := range m.threads {
		if t.at == deskTake || t.at == deskRest {
			members++
		}
	}
	if members > 1 || members == 1 && m.idle {
		return fmt.Sprintf("%d goroutines are the member, idle is %v", members, m.idle)
	}
	return ""
}

func (m deskModel) nothingStranded() string {
	if m.taken != deskThreads || !m.idle {
		return fmt.Sprintf("%d of %d items done, idle is %v", m.taken, deskThreads, m.idle)
	}
	return ""
}

// TestDeskModel visits every interleaving: no item is stranded and the member is never two.
// Without either of the two looks it finds a stranded item.
func TestDeskModel(t *testing.T) {
	for _, c := range []struct {
		name                 string
		looksAfter, asksIdle bool
	}{
		{"as it is", true, true},
		{"take does not look at the mail again", false, true},
		{"offer does not look at idle", true, false},
	} {
		start := deskModel{idle: true, looksAfter: c.looksAfter, asksIdle: c.asksIdle}
		states, problem := explore(start, deskModel.next, deskModel.oneMember, deskModel.nothingStranded)
		if c.looksAfter && c.asksIdle {
			mustHold(t, c.name, states, problem)
		} else {
			mustBreak(t, c.name, states, problem)
		}
	}
}
