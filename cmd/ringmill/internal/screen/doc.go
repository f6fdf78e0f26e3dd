// Package screen shows how far something is while it runs: as a line that is
// redrawn in place on a terminal, or as plain lines elsewhere.
package screen
