package histogram

// Bucket lets tests see which bucket counts a duration; -1 is the zero bucket.
var Bucket = bucket
