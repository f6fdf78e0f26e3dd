package main

import (
	"fmt"

	"github.com/aclements/go-moremath/stats"
)

// significant is the p below which a difference counts, benchstat's.
const significant = 0.05

// median returns the median of sorted values, 0 if there is none.
func median(sorted []float64) float64 {
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[n/2] + sorted[(n-1)/2]) / 2
}

// spread writes the median of sorted values and between what they lie.
func spread(sorted []float64) string {
	return fmt.Sprintf("%s (%s..%s)", figure(median(sorted)), figure(sorted[0]), figure(sorted[len(sorted)-1]))
}

// figure writes a value with three digits, or all those before the point.
func figure(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1 || v == 0:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.2g", v)
	}
}

// significance returns the p-value of the difference between two samples, by the test that benchstat uses. It is 1 if they
// cannot be told apart.
func significance(a, b []float64) float64 {
	r, err := stats.MannWhitneyUTest(a, b, stats.LocationDiffers)
	if err != nil { // all values are equal, or there are none
		return 1
	}
	return r.P
}

// scaled returns the values times a factor.
func scaled(values []float64, factor float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = factor * v
	}
	return out
}
