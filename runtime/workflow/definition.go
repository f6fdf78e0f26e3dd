package workflow

// A Definition is a checked workflow that takes an I and returns an O. It is
// immutable and safe for concurrent use; any number of runs may share it. Make
// one with [Build] or [Parse].
type Definition[I, O any] struct{ plan *Plan }

// Name returns the workflow's name.
func (d *Definition[I, O]) Name() string { return d.plan.Name }

// Plan returns the compiled form, for an engine or for drawing.
func (d *Definition[I, O]) Plan() *Plan { return d.plan }
