// Package breaker stops calls to a resource that is down, for a while, so that
// neither side wastes work on them.
//
// One [Breaker] stands for one resource, and everybody who needs the resource
// shares it. It is closed as long as all is well. It opens when too many calls
// failed, and refuses calls then. After a while it is half-open and lets a few
// trials through: if they succeed it closes, if one fails it opens again.
//
// A Breaker owns no goroutine and no timer, takes no lock, and reads the clock
// only while it is open. [Breaker.Allow] and [Breaker.Done] frame a call:
//
//	token, err := b.Allow()
//	if err != nil {
//		return err // matches breaker.ErrOpen
//	}
//	err = call()
//	b.Done(token, err)
package breaker
