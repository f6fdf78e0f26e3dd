//go:build !linux

package js_test

func limitData(uint64) error { return nil }

func residentPeak() int64 { return 0 }

func residentNow() int64 { return 0 }

func openFiles() int { return 0 }

func mappings() int { return 0 }
