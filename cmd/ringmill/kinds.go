package main

// The kind of mailbox that comes with its own dependency registers itself, so that
// RINGMILL_MAILBOX_KIND=workiva works here and costs embedding programs nothing.
import _ "github.com/ringmill/ringmill/mailbox/workiva"
