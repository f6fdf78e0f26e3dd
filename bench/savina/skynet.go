package savina

import "github.com/ringmill/ringmill/runtime/actor"

// What does a tree of actors cost that each sum what ten children send them (skynet)? ns/op is for the whole tree.
var skynet = []Scenario{{
	Name: "Skynet/leaves=100000", Unit: "tree", Small: 1,
	Ringmill: func(r *Run) { growTrees(r, 100_000) },
	Channel:  func(r *Run) { growTreesChannel(r, 100_000) },
}, {
	Name: "Skynet/leaves=1000000", Unit: "tree", Small: 1,
	Ringmill: func(r *Run) { growTrees(r, 1_000_000) },
	Channel:  func(r *Run) { growTreesChannel(r, 1_000_000) },
}}

func (r *Run) checkTree(sum, leaves int) {
	if want := leaves * (leaves - 1) / 2; sum != want {
		r.Errorf("the tree of %d leaves sums to %d, want %d", leaves, sum, want)
	}
}

func growTrees(r *Run, leaves int) {
	leaves = r.Few(leaves)
	sys, sums := r.system(), make(chan int, 1)
	root := actor.Spawn(sys, func(_ *actor.Context[int], sum int) error { sums <- sum; return nil }, actor.Config{MailboxCapacity: 1})
	r.Begin()
	for range r.N {
		grow(sys, nil, root, 0, leaves)
		r.checkTree(<-sums, leaves)
	}
}

// grow starts the tree of the leaves from first on, which tells parent its sum. from is the handler's, if it is one's.
func grow(sys *actor.System, from *actor.Context[int], parent actor.Ref[int], first, leaves int) {
	const start = -1
	sum, missing := 0, 10
	mailboxCapacity := 10
	if leaves == 1 {
		mailboxCapacity = 1 // a leaf is told once to begin
	}
	ref := actor.Spawn(sys, func(c *actor.Context[int], m int) error {
		switch {
		case m == start && leaves == 1:
			c.Stop()
			return parent.TellFrom(c, first)
		case m == start:
			for i := range 10 {
				grow(sys, c, c.Self(), first+i*leaves/10, leaves/10)
			}
			return nil
		}
		sum += m
		if missing--; missing == 0 {
			c.Stop()
			return parent.TellFrom(c, sum)
		}
		return nil
	}, actor.Config{MailboxCapacity: mailboxCapacity})
	if from == nil {
		_ = ref.Tell(start)
	} else {
		_ = ref.TellFrom(from, start)
	}
}

func growTreesChannel(r *Run, leaves int) {
	leaves = r.Few(leaves)
	sums := make(chan int, 1)
	r.Begin()
	for range r.N {
		go growChannel(sums, 0, leaves)
		r.checkTree(<-sums, leaves)
	}
}

func growChannel(parent chan<- int, first, leaves int) {
	if leaves == 1 {
		parent <- first
		return
	}
	sums := make(chan int, 10)
	for i := range 10 {
		go growChannel(sums, first+i*leaves/10, leaves/10)
	}
	sum := 0
	for range 10 {
		sum += <-sums
	}
	parent <- sum
}
