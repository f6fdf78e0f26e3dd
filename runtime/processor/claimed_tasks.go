package processor

// claimedTasks is a list of claimed tasks, first come first served, linked by attempt.next.
type claimedTasks struct{ first, last *attempt }

func (l *claimedTasks) add(a *attempt) {
	a.next = nil
	if l.last == nil {
		l.first = a
	} else {
		l.last.next = a
	}
	l.last = a
}

// addAll adds a list.
func (l *claimedTasks) addAll(a *attempt) {
	for a != nil {
		next := a.next
		l.add(a)
		a = next
	}
}

// take removes the first; nil if there is none.
func (l *claimedTasks) take() *attempt {
	a := l.first
	if a == nil {
		return nil
	}
	if l.first = a.next; l.first == nil {
		l.last = nil
	}
	a.next = nil
	return a
}
