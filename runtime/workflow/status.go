package workflow

import "fmt"

// Status is the state of a run or of a task. The zero Status is StatusPending.
type Status uint8

// A run is pending, running, succeeded, failed or cancelled. A task is waiting
// (for its dependencies), ready (for a free task actor), running, retrying (in
// the wait before its next attempt), succeeded, failed, skipped, cancelled or
// timed out.
const (
	StatusPending Status = iota
	StatusWaiting
	StatusReady
	StatusRunning
	StatusRetrying
	StatusSucceeded
	StatusFailed
	StatusSkipped
	StatusCancelled
	StatusTimedOut
)

var statusNames = [...]string{
	"pending", "waiting", "ready", "running", "retrying",
	"succeeded", "failed", "skipped", "cancelled", "timed_out",
}

// String is the name that reports and the command line use, such as
// "timed_out".
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("Status(%d)", uint8(s))
}

// MarshalText implements [encoding.TextMarshaler] with the name of s.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Ended reports whether s is final: no other state follows it.
func (s Status) Ended() bool { return s >= StatusSucceeded && s <= StatusTimedOut }
