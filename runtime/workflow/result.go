package workflow

// A Result is how a task, or an item of a Map, ended: with a value or with an error.
type Result[T any] struct {
	Value  T      // the zero T unless it succeeded
	Status Status // succeeded, failed, timed_out, skipped or cancelled
	Err    error  // why it did not succeed; nil if it did, or was skipped
}

// OK reports whether there is a value.
func (r Result[T]) OK() bool { return r.Status == StatusSucceeded }
