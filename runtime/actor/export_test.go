package actor

import "unsafe"

// A Span is where something lies in its owner, in bytes.
type Span struct{ Begin, End uintptr }

// The places of what a message touches of an actor.
var (
	actorMemory actor[*int]

	ActorSize = unsafe.Sizeof(actorMemory)
	InboxAt   = Span{unsafe.Offsetof(actorMemory.mailbox), unsafe.Offsetof(actorMemory.mailbox) + unsafe.Sizeof(actorMemory.mailbox)}
	HandlerAt = Span{unsafe.Offsetof(actorMemory.handler), unsafe.Offsetof(actorMemory.context) + unsafe.Sizeof(actorMemory.context)}
	StatusAt  = Span{unsafe.Offsetof(actorMemory.cell), unsafe.Offsetof(actorMemory.cell) + unsafe.Offsetof(actorMemory.cell.system) + 8}
)
