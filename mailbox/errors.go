package mailbox

import "errors"

// ErrFull reports that a mailbox had no room when it was asked; the value was not taken.
var ErrFull = errors.New("mailbox: full")

// ErrClosed reports that a mailbox has been closed; the value was not taken.
var ErrClosed = errors.New("mailbox: closed")
