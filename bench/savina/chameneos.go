package savina

import (
	"sync"

	"github.com/ringmill/ringmill/runtime/actor"
)

const creatures = 100

// What does a meeting cost? Each of 100 creatures asks the one mall for a partner; the mall has the first of two told about
// the second, that one changes its colour and tells the second, and both ask again: four messages a meeting.
var chameneos = []Scenario{{
	Name: "Chameneos", Unit: "meeting", Small: 500,
	Ringmill: func(r *Run) {
		type meeting struct {
			colour  int
			partner actor.Ref[meeting] // of the first of the two; zero for the second
			nobody  bool
		}
		type request struct {
			colour int
			from   actor.Ref[meeting]
		}
		sys, done := r.system(), make(chan struct{})
		var first request
		waiting, meetings, sent := false, 0, 0
		mall := actor.Spawn(sys, func(c *actor.Context[request], m request) error {
			if meetings == r.N {
				if sent++; sent == creatures {
					close(done)
				}
				return nil
			}
			if waiting = !waiting; waiting {
				first = m
				return nil
			}
			if meetings++; meetings == r.N {
				sent = 0
			}
			return first.from.TellFrom(c, meeting{colour: m.colour, partner: m.from})
		}, actor.Config{MailboxCapacity: creatures})
		refs := make([]actor.Ref[meeting], creatures)
		for i := range refs {
			colour := i % 3
			refs[i] = actor.Spawn(sys, func(c *actor.Context[meeting], m meeting) error {
				if m.nobody { // only to begin
					return mall.TellFrom(c, request{colour, c.Self()})
				}
				if m.partner != (actor.Ref[meeting]{}) {
					colour = complement(colour, m.colour)
					if err := m.partner.TellFrom(c, meeting{colour: colour}); err != nil {
						return err
					}
				} else {
					colour = m.colour
				}
				return mall.TellFrom(c, request{colour, c.Self()})
			}, actor.Config{MailboxCapacity: 4})
		}
		r.Begin()
		for _, ref := range refs {
			r.Must(ref.Tell(meeting{nobody: true}))
		}
		<-done
	},
	Channel: func(r *Run) {
		type meeting struct {
			colour  int
			partner chan meeting
		}
		type request struct {
			colour int
			from   chan meeting
		}
		mall := make(chan request, creatures)
		chans := make([]chan meeting, creatures)
		var all sync.WaitGroup
		for i := range chans {
			chans[i] = make(chan meeting, 4)
			colour := i % 3
			all.Go(func() {
				mall <- request{colour, chans[i]}
				for m := range chans[i] {
					if m.partner != nil {
						colour = complement(colour, m.colour)
						m.partner <- meeting{colour: colour}
					} else {
						colour = m.colour
					}
					mall <- request{colour, chans[i]}
				}
			})
		}
		r.Begin()
		for range r.N {
			first, second := <-mall, <-mall
			first.from <- meeting{colour: second.colour, partner: second.from}
		}
		for range creatures { // everybody waits for a partner, none for the other of a meeting
			<-mall
		}
		r.End()
		for _, ch := range chans {
			close(ch)
		}
		all.Wait()
	},
}}

// complement is the colour that a creature of colour a takes when it meets one of colour b.
func complement(a, b int) int {
	if a == b {
		return a
	}
	return 3 - a - b
}
