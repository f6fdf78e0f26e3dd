package otlp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// defaultEndpoint is where a local collector listens, and the default that the
// specification names for OTEL_EXPORTER_OTLP_ENDPOINT. The exporter's own is
// https on the same port.
const defaultEndpoint = "http://localhost:4318"

// checkEnvironment looks at the variables, of which the SDK ignores or merely
// logs the wrong ones. off reports that tracing is turned off.
func checkEnvironment(getenv func(string) string) (off bool, err error) {
	env := environment(getenv)
	if strings.EqualFold(env.value("OTEL_SDK_DISABLED"), "true") || env.value("OTEL_TRACES_EXPORTER") == "none" {
		return true, nil
	}
	var problems []error
	for _, r := range rules {
		for _, name := range r.names {
			if value := env.value(name); value != "" && !r.valid(value) {
				problems = append(problems, fmt.Errorf("%s: %q %s", name, value, r.problem))
			}
		}
	}
	for _, signal := range []string{"", "TRACES_"} {
		if err := env.checkClientCertificate("OTEL_EXPORTER_OTLP_" + signal); err != nil {
			problems = append(problems, err)
		}
	}
	return false, errors.Join(problems...)
}

// hasEndpoint reports whether a variable says where the collector is.
func hasEndpoint(getenv func(string) string) bool {
	env := environment(getenv)
	return env.value("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || env.value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

// An environment looks variables up as os.Getenv does.
type environment func(string) string

// value returns a variable as the SDK reads it. Empty is not set.
func (e environment) value(name string) string { return strings.TrimSpace(e(name)) }

// checkClientCertificate loads the certificate and the key that belong together.
func (e environment) checkClientCertificate(prefix string) error {
	certificate, key := e.value(prefix+"CLIENT_CERTIFICATE"), e.value(prefix+"CLIENT_KEY")
	if certificate == "" && key == "" {
		return nil
	}
	if _, err := tls.LoadX509KeyPair(certificate, key); err != nil {
		return fmt.Errorf("%sCLIENT_CERTIFICATE, %[1]sCLIENT_KEY: %q and %q are not a pair: %w; want two PEM files", prefix, certificate, key, err)
	}
	return nil
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
