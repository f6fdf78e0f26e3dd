package actor

// cellList is the list of a system's actors, linked through the cells themselves
// so that entering and leaving allocate nothing. System.mu guards it.
type cellList struct {
	first *cell
	n     int
}

func (l *cellList) add(c *cell) {
	c.next = l.first
	if l.first != nil {
		l.first.prev = c
	}
	l.first = c
	l.n++
}

func (l *cellList) remove(c *cell) {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		l.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
	l.n--
}

func (l *cellList) all() []*cell {
	cells := make([]*cell, 0, l.n)
	for c := l.first; c != nil; c = c.next {
		cells = append(cells, c)
	}
	return cells
}
