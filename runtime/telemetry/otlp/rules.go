package otlp

import (
	"crypto/x509"
	"math"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// A rule says which values some variables may have.
type rule struct {
	names   []string
	valid   func(string) bool
	problem string // what follows a wrong value: what it is not, and what is wanted
}

var rules = []rule{
	{[]string{"OTEL_SDK_DISABLED"}, anyCase("true", "false"), "is not a boolean; want true or false"},
	{[]string{"OTEL_TRACES_EXPORTER"}, one("otlp", "none"), "is not supported; want otlp or none"},
	{ofSignal("PROTOCOL"), one("http/protobuf", "http/json"),
		"is not supported; want http/protobuf or http/json, which collectors take on port 4318"},
	{ofSignal("ENDPOINT"), isURL, "is not a URL; want one such as " + defaultEndpoint},
	{ofSignal("INSECURE"), anyCase("true", "false"), "is not a boolean; want true or false"},
	{ofSignal("HEADERS"), isHeaders, "is not a list of headers; want NAME=VALUE, separated by commas, values escaped as in a URL"},
	{ofSignal("TIMEOUT"), isWhole(0), "is not a time; want whole milliseconds, such as 10000"},
	{ofSignal("COMPRESSION"), one("gzip", "none"), "is not supported; want gzip or none"},
	{ofSignal("CERTIFICATE"), isCertificate, "is not a readable file with a certificate; want a PEM file"},
	{[]string{"OTEL_TRACES_SAMPLER"},
		anyCase("always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"),
		"is not supported; want always_on, always_off, traceidratio, or one of these behind parentbased_"},
	{[]string{"OTEL_TRACES_SAMPLER_ARG"}, isRatio, "is not a share of the traces; want 0 to 1"},
	{[]string{"OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"}, isWhole(1), "is not a number of spans; want a whole number of 1 or more"},
	{[]string{"OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT"}, isWhole(0), "is not a time; want whole milliseconds, such as 5000"},
	{[]string{"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
		"OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_SPAN_EVENT_COUNT_LIMIT", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
		"OTEL_SPAN_LINK_COUNT_LIMIT", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"}, isWhole(-1),
		"is not a limit; want a whole number, -1 for none"},
	{[]string{"OTEL_RESOURCE_ATTRIBUTES"}, isPairs, "is not a list of attributes; want NAME=VALUE, separated by commas, values escaped as in a URL"},
}

// ofSignal returns the two forms of an exporter's variable.
func ofSignal(name string) []string {
	return []string{"OTEL_EXPORTER_OTLP_TRACES_" + name, "OTEL_EXPORTER_OTLP_" + name}
}

func one(words ...string) func(string) bool {
	return func(s string) bool { return slices.Contains(words, s) }
}

func anyCase(words ...string) func(string) bool {
	return func(s string) bool { return slices.Contains(words, strings.ToLower(s)) }
}

// isWhole returns a check for whole numbers from low up.
func isWhole(low int) func(string) bool {
	return func(s string) bool {
		n, err := strconv.Atoi(s)
		return err == nil && n >= low && n <= math.MaxInt32
	}
}

func isRatio(s string) bool {
	f, err := strconv.ParseFloat(s, 64)
	return err == nil && f >= 0 && f <= 1
}

func isCertificate(file string) bool {
	text, err := os.ReadFile(file)
	return err == nil && x509.NewCertPool().AppendCertsFromPEM(text)
}

// isPairs reports whether s is name=value, with commas between several.
func isPairs(s string) bool {
	for pair := range strings.SplitSeq(s, ",") {
		name, value, found := strings.Cut(pair, "=")
		if _, err := url.PathUnescape(value); !found || strings.TrimSpace(name) == "" || err != nil {
			return false
		}
	}
	return true
}

// isHeaders reports whether s is pairs whose names HTTP allows.
func isHeaders(s string) bool {
	for pair := range strings.SplitSeq(s, ",") {
		name, _, _ := strings.Cut(pair, "=")
		if strings.ContainsFunc(strings.TrimSpace(name), func(r rune) bool { return !isTokenRune(r) }) {
			return false
		}
	}
	return isPairs(s)
}

// isTokenRune is the tchar of RFC 9110, 5.6.2.
func isTokenRune(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}
