package actor

import (
	"fmt"
	"reflect"
)

// Middleware goes around handlers. It is made by Wrap or Around and given to Config or
// SystemConfig, which put it around the handler when the actor is spawned, around each
// handler that a restart makes, and around those of Context.Become. So an actor without any pays nothing.
//
// What it does runs on the actor, as the handler does: it must not block a
// non-blocking actor, and its errors and panics are the handler's.
type Middleware struct {
	typed any // func(next handler[M]) handler[M]
	plain func(actor string, next func() error) error
}

// Wrap makes a Middleware of a function from handler to handler, for actors with
// messages of type M. It is called once for each handler. It sees the message, may change it, and need not call next.
// Spawn panics if Config has it for an actor with other messages.
func Wrap[M any](wrap func(next func(*Context[M], M) error) func(*Context[M], M) error) Middleware {
	if wrap == nil {
		panic("actor: Wrap: the function is nil")
	}
	return Middleware{typed: wrap}
}

// Around makes a Middleware for actors of all message types: around is called for each
// message with the actor's name and calls next, once or not at all, which is the
// handler. It allocates once for each handler and nothing for a message.
func Around(around func(actor string, next func() error) error) Middleware {
	if around == nil {
		panic("actor: Around: the function is nil")
	}
	return Middleware{plain: around}
}

// wrapper combines middleware, the first outermost. With strict a typed one for other
// messages is an error, else it is left out.
func wrapper[M any](a *actor[M], all []Middleware, strict bool) (func(handler[M]) handler[M], error) {
	var wraps []func(handler[M]) handler[M]
	for i, m := range all {
		switch typed, ok := m.typed.(func(handler[M]) handler[M]); {
		case ok:
			wraps = append(wraps, typed)
		case m.plain != nil:
			wraps = append(wraps, func(next handler[M]) handler[M] { return aroundOf(a.name, m.plain, next) })
		case m.typed == nil:
			return nil, fmt.Errorf("Config.Middleware[%d] is empty; make it by Wrap or Around", i)
		case strict:
			return nil, fmt.Errorf("Config.Middleware[%d] is a %T; want one for the actor's messages, %v", i, m.typed, reflect.TypeFor[M]())
		}
	}
	if len(wraps) == 0 {
		return nil, nil
	}
	return func(h handler[M]) handler[M] {
		for i := len(wraps) - 1; i >= 0; i-- {
			h = wraps[i](h)
			if h == nil {
				panic(fmt.Sprintf("actor: %q: Middleware made a nil handler of a handler", a.name))
			}
		}
		return h
	}, nil
}

// aroundOf is a handler around next. The message is handed to it in variables of the
// handler's own, since a closure for each message would be an allocation.
func aroundOf[M any](name string, around func(string, func() error) error, next handler[M]) handler[M] {
	var context *Context[M]
	var message, none M
	call := func() error { return next(context, message) }
	return func(c *Context[M], m M) error {
		context, message = c, m
		err := around(name, call)
		message = none // keeps nothing alive
		return err
	}
}
