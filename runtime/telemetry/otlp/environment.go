package otlp

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// checkEnvironment looks at the variables that the SDK ignores when they are
// wrong, or that it does not know. off reports that tracing is turned off.
func checkEnvironment(getenv func(string) string) (off bool, err error) {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return true, nil
	}
	var problems []error
	switch exporter := getenv("OTEL_TRACES_EXPORTER"); exporter {
	case "", "otlp":
	case "none":
		return true, nil
	default:
		problems = append(problems, fmt.Errorf("OTEL_TRACES_EXPORTER: %q is not supported; want otlp or none", exporter))
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		switch protocol := getenv(name); protocol {
		case "", "http/protobuf", "http/json":
		default:
			problems = append(problems, fmt.Errorf("%s: %q is not supported; want http/protobuf or http/json, which collectors take on port 4318", name, protocol))
		}
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"} {
		if endpoint := getenv(name); endpoint != "" && !isURL(endpoint) {
			problems = append(problems, fmt.Errorf("%s: %q is not a URL; want one such as http://localhost:4318", name, endpoint))
		}
	}
	return false, errors.Join(problems...)
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
