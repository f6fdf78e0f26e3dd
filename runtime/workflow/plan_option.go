package workflow

import "time"

// A PlanOption changes how the runs of a workflow go. Values that cannot be meant
// are reported by [Build].
type PlanOption func(*declarations)

// OnFailure says what a failed task does to the rest of its run. Defaults to
// FailFast.
func OnFailure(p FailurePolicy) PlanOption {
	return func(d *declarations) {
		if int(p) >= len(failurePolicyNames) {
			d.report(ErrBadOption, "pass FailFast or Continue", "OnFailure(%d) is no policy", uint8(p))
		}
		d.failure = p
	}
}

// RunTimeout bounds a run, from when it is accepted. 0, the default, is no bound.
// An option of the same name given to a single run replaces it.
func RunTimeout(limit time.Duration) PlanOption {
	return func(d *declarations) { d.timeout = d.positive("RunTimeout", limit) }
}

// CompensateTimeout bounds each call of a [Compensate] that has no [CompensateWithin]. Defaults to
// DefaultCompensateTimeout.
func CompensateTimeout(limit time.Duration) PlanOption {
	return func(d *declarations) { d.compensate = d.positive("CompensateTimeout", limit) }
}

func (d *declarations) positive(option string, limit time.Duration) time.Duration {
	if limit < 0 {
		d.report(ErrBadOption, "give a positive duration, or leave the option out", "%s(%s) is negative", option, limit)
	}
	return limit
}
