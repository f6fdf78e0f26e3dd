// Package simulation runs the real scheduling decisions on a virtual clock, for tests and for the figures of bench/results. It
// is deterministic: the same seed gives the same run on every machine.
package simulation
