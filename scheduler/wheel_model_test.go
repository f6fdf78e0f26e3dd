package scheduler_test

import (
	"fmt"
	"testing"
)

// wheelModel is how a Wheel wakes, reduced to its atomic steps: two goroutines that each start one
// timer, in a shard of its own, the runtime timer, and the sweeps that it starts.
type wheelModel struct {
	clock   int8
	linked  [2]bool // timer i is due at tick i+1
	fired   [2]bool
	wakeAt  int8
	pending int8 // when the runtime timer fires, modelNever if it does not
	locked  bool // the wheel's mu
	running bool // a sweep, under mu

	starters [2]wheelStarter
	sweeps   [2]wheelSweep
	broken   wheelFault
}

type wheelStarter struct {
	at   wheelStep
	seen int8 // wakeAt
}

type wheelSweep struct {
	at        wheelStep
	now, next int8
}

type (
	wheelStep  int8
	wheelFault int8
)

const (
	modelSweeping int8 = 0
	modelNever    int8 = 9

	wheelSound          wheelFault = iota
	wheelLoadsFirst                // Start loads wakeAt before it links
	wheelScansFirst                // a sweep lets starters rely on it until it has looked at the slots
	wheelSweepsTogether            // a second sweep does not leave at once
)

const (
	startLink wheelStep = iota
	startLook
	startCorrect // the critical section of wakeBy
	startEnd
)

const (
	sweepNone wheelStep = iota // no goroutine
	sweepBegin
	sweepFire0
	sweepFire1
	sweepLock
	sweepScan0
	sweepScan1
	sweepSleep
)

func due(timer int) int8 { return int8(timer) + 1 }

// start is one step of starter i.
func (m wheelModel) start(i int) (wheelModel, bool) {
	s := &m.starters[i]
	switch s.at {
	case startLink:
		if m.broken == wheelLoadsFirst {
			s.seen = m.wakeAt
		} else {
			m.linked[i] = true
		}
		s.at = startLook
	case startLook:
		if m.broken == wheelLoadsFirst {
			m.linked[i] = true
		} else {
			s.seen = m.wakeAt
		}
		s.at = startEnd
		if due(i) < s.seen {
			s.at = startCorrect
		}
	case startCorrect:
		if m.locked {
			return m, false
		}
		if due(i) < m.wakeAt {
			m.wakeAt, m.pending = due(i), due(i)
		}
		s.at = startEnd
	case startEnd:
		return m, false
	}
	return m, true
}

// sweep is one step of a sweep. That of the runtime timer is expire.
func (m wheelModel) sweep(i int) (wheelModel, bool) {
	s := &m.sweeps[i]
	switch s.at {
	case sweepNone:
		return m, false
	case sweepBegin:
		if m.locked {
			return m, false
		}
		if m.running && m.broken != wheelSweepsTogether {
			s.at = sweepNone
			return m, true
		}
		m.running, m.wakeAt = true, modelSweeping
		s.now, s.at = m.clock, sweepFire0
	case sweepFire0, sweepFire1:
		timer := int(s.at - sweepFire0)
		if m.linked[timer] && due(timer) <= s.now {
			m.linked[timer], m.fired[timer] = false, true
		}
		s.at++
	case sweepLock:
		if m.locked {
			return m, false
		}
		m.locked, m.running = true, false
		if m.broken != wheelScansFirst {
			m.wakeAt = modelNever
		}
		s.next, s.at = modelNever, sweepScan0
	case sweepScan0, sweepScan1:
		timer := int(s.at - sweepScan0)
		if m.linked[timer] {
			s.next = min(s.next, due(timer))
		}
		s.at++
	case sweepSleep:
		m.wakeAt = s.next
		if s.next != modelNever {
			m.pending = s.next
		}
		m.locked, s.at = false, sweepNone
		s.now, s.next = 0, 0
	}
	return m, true
}

// expire is the runtime timer: it starts a sweep, if there is not already one too many.
func (m wheelModel) expire() (wheelModel, bool) {
	if m.pending == modelNever {
		return m, false
	}
	for i := range m.sweeps {
		if m.sweeps[i].at == sweepNone {
			m.clock = max(m.clock, m.pending)
			m.pending = modelNever
			m.sweeps[i].at = sweepBegin
			return m, true
		}
	}
	return m, false
}

func (m wheelModel) next() []wheelModel {
	var after []wheelModel
	for i := range 2 {
		if n, ok := m.start(i); ok {
			after = append(after, n)
		}
		if n, ok := m.sweep(i); ok {
			after = append(after, n)
		}
	}
	if n, ok := m.expire(); ok {
		after = append(after, n)
	}
	return after
}

// oneSweep: callbacks run one after the other.
func (m wheelModel) oneSweep() string {
	firing := 0
	for _, s := range m.sweeps {
		if s.at == sweepFire0 || s.at == sweepFire1 {
			firing++
		}
	}
	if firing > 1 {
		return "two sweeps fire timers"
	}
	return ""
}

func (m wheelModel) allFired() string {
	if !m.fired[0] || !m.fired[1] {
		return fmt.Sprintf("timers fired: %v, and nobody will wake", m.fired)
	}
	return ""
}

// TestWheelModel visits every interleaving of two starts and the sweeps: every timer fires, and
// sweeps never overlap. Without any one of its three rules the model finds the fault.
func TestWheelModel(t *testing.T) {
	for fault, name := range map[wheelFault]string{
		wheelSound:          "as it is",
		wheelLoadsFirst:     "Start loads wakeAt before it links the timer",
		wheelScansFirst:     "a sweep looks at the slots before it gives up its claim",
		wheelSweepsTogether: "sweeps overlap",
	} {
		start := wheelModel{wakeAt: modelNever, pending: modelNever, broken: fault}
		states, problem := explore(start, wheelModel.next, wheelModel.oneSweep, wheelModel.allFired)
		if fault == wheelSound {
			mustHold(t, name, states, problem)
		} else {
			mustBreak(t, name, states, problem)
		}
	}
}
