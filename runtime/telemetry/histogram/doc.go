// Package histogram counts durations in buckets that grow by a constant factor,
// so that quantiles of nanoseconds and of hours come out equally precise from a
// few kilobytes.
//
// A [Histogram] has eight buckets for each power of two: a quantile is off by at
// most 4.5 %. The bounds are those of Prometheus native histograms with schema
// 3, which is why the metrics of Ringmill need no conversion. Its size is fixed;
// it never grows with the number of durations recorded.
//
// Recording is one atomic addition for the bucket and one for the sum. Writers
// that share a histogram do not block but slow each other down; give each its
// own, or a few of them one, and add the snapshots up.
//
// The package never keeps single values, knows no labels and reads no clock.
package histogram
