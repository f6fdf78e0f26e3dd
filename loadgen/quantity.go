package loadgen

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseRate reads a rate per second or another count: 500, 100k, 1.5M.
func ParseRate(s string) (float64, error) {
	digits, factor := s, 1.0
	if n := len(s); n > 0 {
		switch s[n-1] {
		case 'k', 'K':
			digits, factor = s[:n-1], 1e3
		case 'M':
			digits, factor = s[:n-1], 1e6
		}
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.IsNaN(f) {
		return 0, fmt.Errorf("%q is not a rate; want a number a second such as 500, 100k or 1.5M", s)
	}
	if f *= factor; f <= 0 || f > MaxRate {
		return 0, fmt.Errorf("%s is out of range; want more than 0 and up to 10M a second", s)
	}
	return f, nil
}

// ParseShare reads a share as a fraction or in percent: .01, 1%.
func ParseShare(s string) (float64, error) {
	digits, percent := strings.CutSuffix(s, "%")
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil || math.IsNaN(f) {
		return 0, fmt.Errorf("%q is not a share; want 0 to 1 such as 0.01, or 1%%", s)
	}
	if percent {
		f /= 100
	}
	if f < 0 || f > 1 {
		return 0, fmt.Errorf("%s is out of range; want 0 to 1, or 0%% to 100%%", s)
	}
	return f, nil
}

// ParseSize reads a number of bytes: 64B, 4KiB, 4k, 1MiB, or a plain number.
func ParseSize(s string) (int, error) {
	digits, factor := s, 1
	for _, unit := range []struct {
		suffix string
		bytes  int
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"kB", 1000}, {"MB", 1000_000}, {"k", 1 << 10}, {"K", 1 << 10}, {"M", 1 << 20}, {"B", 1}} {
		if d, ok := strings.CutSuffix(s, unit.suffix); ok {
			digits, factor = d, unit.bytes
			break
		}
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size; want a number of bytes such as 64B, 4KiB or 1MiB", s)
	}
	if n < 0 || n > MaxPayload/factor {
		return 0, fmt.Errorf("%s is out of range; want 0 to 1MiB", s)
	}
	return n * factor, nil
}

// parseDuration reads a duration of 0 or more, in the words of the flags.
func parseDuration(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration; want one such as 2us, 5ms or 10s", s)
	}
	if d < 0 || d > MaxDuration {
		return 0, fmt.Errorf("%s is out of range; want 0 to %v", s, MaxDuration)
	}
	return d, nil
}
