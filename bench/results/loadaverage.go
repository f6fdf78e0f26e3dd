package main

import (
	"fmt"
	"os"
	"strings"
)

// loadAverage returns how many threads ran or wanted to on average over the last minute; empty where the system does not say
// so in /proc.
func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	oneMinute, _, _ := strings.Cut(string(data), " ")
	return oneMinute
}

// loads writes the load averages before and after a measurement.
func loads(before, after string) string {
	if before == "" || after == "" {
		return ""
	}
	return fmt.Sprintf(", load average %s before and %s after", before, after)
}
