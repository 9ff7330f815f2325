// Package config reads the environment that Istio's ztunnel chart sets. It does
// not act on any of it.
package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Self is who the proxy is.
type Self struct {
	Pod            string
	Namespace      string
	Node           string
	IP             netip.Addr
	ServiceAccount string
	ClusterID      string
	Network        string
	// Metadata is everything of ISTIO_META_*, for the control plane.
	Metadata map[string]any
}

// Plane is how to reach the control plane and istio-cni.
type Plane struct {
	XDSAddress string
	CAAddress  string
	RootFile   string
	TokenFile  string
	ZDSSocket  string
}

// Listen is where the proxy itself is asked about itself.
type Listen struct{ Admin, Stats, Readiness string }

// Config is the whole environment.
type Config struct {
	Self   Self
	Plane  Plane
	Listen Listen
	// Grace is how long the kubelet waits after SIGTERM.
	Grace time.Duration
	// PortReuse lets a successor bind the same ports.
	PortReuse bool
	// KeepSource makes applications see their peers' addresses; nil means if
	// the process is able to.
	KeepSource *bool
	LogLevel   string
	LogJSON    bool
}

// Lookup is os.LookupEnv, or a test's map.
type Lookup func(key string) (string, bool)

// Read takes defaults where a variable is absent, and fails on what is missing
// or cannot be read. Environ lists all variables as os.Environ does.
func Read(lookup Lookup, environ []string) (Config, error) {
	r := &reader{lookup: lookup}
	c := Config{
		Plane: Plane{
			XDSAddress: address(r.required("XDS_ADDRESS")),
			CAAddress:  address(r.required("CA_ADDRESS")),
			RootFile:   r.text("CA_ROOT_CA", "/var/run/secrets/istio/root-cert.pem"),
			TokenFile:  r.text("AUTH_TOKEN", "/var/run/secrets/tokens/istio-token"),
			ZDSSocket:  r.text("INPOD_UDS", "/var/run/ztunnel/ztunnel.sock"),
		},
		Listen: Listen{
			Admin:     r.text("ADMIN_ADDR", "127.0.0.1:15000"),
			Stats:     r.text("STATS_ADDR", ":15020"),
			Readiness: r.text("READINESS_ADDR", ":15021"),
		},
		Grace:      time.Duration(r.number("TERMINATION_GRACE_PERIOD_SECONDS", 30)) * time.Second,
		PortReuse:  r.boolean("INPOD_PORT_REUSE", true),
		KeepSource: r.optional("ENABLE_ORIG_SRC"),
		LogLevel:   r.text("RUST_LOG", "info"),
		LogJSON:    r.text("LOG_FORMAT", "") == "json",
	}
	c.Self = r.self(environ)
	if r.err != nil {
		return Config{}, r.err
	}
	return c, nil
}

func (r *reader) self(environ []string) Self {
	s := Self{
		Pod: r.required("POD_NAME"), Namespace: r.required("POD_NAMESPACE"), Node: r.required("NODE_NAME"),
		ServiceAccount: r.text("SERVICE_ACCOUNT", ""), Network: r.text("NETWORK", ""),
		ClusterID: r.text("ISTIO_META_CLUSTER_ID", "Kubernetes"),
	}
	ip, err := netip.ParseAddr(r.required("INSTANCE_IP"))
	if err != nil {
		r.fail("INSTANCE_IP", err)
	}
	s.IP = ip
	metadata, err := meta(environ)
	if err != nil {
		r.fail("ISTIO_METAJSON_*", err)
	}
	s.Metadata = metadata
	return s
}

// address drops a scheme, which the chart does not set and people do.
func address(value string) string {
	if _, rest, ok := strings.Cut(value, "://"); ok {
		return rest
	}
	return value
}

// DrainTime is how long connections may run on after SIGTERM: the last five
// seconds, or the last one of a short grace period, are for an orderly end.
func (c Config) DrainTime() time.Duration {
	if c.Grace > 10*time.Second {
		return c.Grace - 5*time.Second
	}
	return max(0, c.Grace-time.Second)
}

// reader keeps the first failure.
type reader struct {
	lookup Lookup
	err    error
}

func (r *reader) fail(key string, err error) {
	if r.err == nil {
		r.err = fmt.Errorf("environment variable %s: %w", key, err)
	}
}

func (r *reader) required(key string) string {
	value, _ := r.lookup(key)
	if value == "" {
		r.fail(key, errors.New("is not set"))
	}
	return value
}

func (r *reader) text(key, otherwise string) string {
	if value, ok := r.lookup(key); ok && value != "" {
		return value
	}
	return otherwise
}

func (r *reader) number(key string, otherwise int) int {
	text := r.text(key, strconv.Itoa(otherwise))
	n, err := strconv.Atoi(text)
	if err != nil {
		r.fail(key, err)
	}
	return n
}

func (r *reader) boolean(key string, otherwise bool) bool {
	if b := r.optional(key); b != nil {
		return *b
	}
	return otherwise
}

func (r *reader) optional(key string) *bool {
	text := r.text(key, "")
	if text == "" {
		return nil
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		r.fail(key, err)
	}
	return &b
}
