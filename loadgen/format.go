package loadgen

import (
	"fmt"
	"math"
	"strconv"
)

// seconds prints a time with three digits and its unit: 12.3µs, 1.50s.
func seconds(s float64) string {
	switch a := math.Abs(s); {
	case a == 0:
		return "0s"
	case a < 999.5e-9:
		return strconv.FormatFloat(s*1e9, 'f', 0, 64) + "ns"
	case a < 999.5e-6:
		return digits(s*1e6) + "µs"
	case a < 999.5e-3:
		return digits(s*1e3) + "ms"
	}
	return digits(s) + "s"
}

// digits prints a number with three digits.
func digits(x float64) string {
	switch a := math.Abs(x); {
	case a < 9.995:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case a < 99.95:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 0, 64)
}

// count prints a number with commas: 1,234,567.
func count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// perSecond prints a rate.
func perSecond(r float64) string {
	if r < 100 {
		return digits(r) + "/s"
	}
	return count(uint64(math.Round(r))) + "/s"
}

// percent prints a share of 0 to 1.
func percent(f float64) string {
	switch p := 100 * f; {
	case p == 0:
		return "0 %"
	case p < 0.1:
		return fmt.Sprintf("%.3f %%", p)
	case p < 10:
		return fmt.Sprintf("%.1f %%", p)
	default:
		return fmt.Sprintf("%.0f %%", p)
	}
}
