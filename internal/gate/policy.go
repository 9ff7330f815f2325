package gate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Policy says what a release needs. The zero value of a list means "not said":
// see DefaultPolicy for what then holds.
type Policy struct {
	// Must lists the promises that have to hold. A * stands for any text. A
	// pattern that matches no promise is inconclusive, and so is a promise of the
	// baseline that matches and that the run's plan lacks: a promise that is
	// dropped from a run must not pass its gate.
	Must []string `yaml:"must"`
	// MayBeUnsupported lists those that the environment need not be able to show.
	MayBeUnsupported []string `yaml:"mayBeUnsupported"`
	// Known accepts listed deviations (true if not said).
	Known *bool `yaml:"known"`
	// StandIn counts promises about the node proxy that were shown on a stand-in
	// as if they had been shown on Istio's own.
	StandIn    bool       `yaml:"standIn"`
	Budgets    Budgets    `yaml:"budgets"`
	Comparison Comparison `yaml:"comparison"`
}

// Budgets are absolute limits, whatever the baseline did.
type Budgets struct {
	Latency  []LatencyBudget  `yaml:"latency"`
	Recovery []RecoveryBudget `yaml:"recovery"`
}

// LatencyBudget bounds a quantile of the latency of every stage that matches.
type LatencyBudget struct {
	Stage    string  `yaml:"stage"`
	Quantile int     `yaml:"quantile"` // per mille
	AtMostMs float64 `yaml:"atMostMs"`
}

// RecoveryBudget bounds the recovery of every promise of recovery that matches.
type RecoveryBudget struct {
	Promise string        `yaml:"promise"`
	AtMost  time.Duration `yaml:"atMost"`
}

// Comparison says which differences from a baseline matter.
type Comparison struct {
	// Alpha is the probability, over all quantities together, that two runs of
	// the same mesh are called different.
	Alpha float64 `yaml:"alpha"`
	// SharePerMille and ErrorsPerMille are how coarse a comparison of shares or of
	// errors may be: if only larger differences would have counted, there were too
	// few requests. SharePerMille 0 is twice what each promise itself calls a
	// deviation: two runs that were both shown to be within it differ by no more.
	SharePerMille  int `yaml:"sharePerMille"`
	ErrorsPerMille int `yaml:"errorsPerMille"`
	// ToleranceMs is how much a quantile of the latency may grow. A comparison
	// that only growth beyond twice the tolerance would have shown is too coarse.
	ToleranceMs float64 `yaml:"toleranceMs"`
	// Quantiles are compared and must be told; Watched are compared, and pass if
	// they cannot be told (a far quantile rests on a handful of requests).
	Quantiles []int `yaml:"quantiles"`
	Watched   []int `yaml:"watched"`
	// LatencyMayBeUntold lets through latencies that cannot be told because the load
	// generator was late: on a machine that is shared with other work.
	LatencyMayBeUntold bool `yaml:"latencyMayBeUntold"`
	// AnyEnvironment compares runs of different kinds of environment.
	AnyEnvironment bool `yaml:"anyEnvironment"`
}

// DefaultPolicy is what holds where a policy says nothing: every promise must
// hold, what the environment cannot show is let through, a stand-in is not.
func DefaultPolicy() Policy {
	yes := true
	return Policy{
		Must: []string{"*"}, MayBeUnsupported: []string{"*"}, Known: &yes,
		Comparison: Comparison{
			Alpha: 2e-4, ErrorsPerMille: 20,
			ToleranceMs: 25, Quantiles: []int{500, 900}, Watched: []int{990},
		},
	}
}

// ParsePolicy reads a policy over the defaults. Unknown keys are refused: a
// misspelt budget would be a budget that never fails.
func ParsePolicy(text []byte) (Policy, error) {
	policy := DefaultPolicy()
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&policy); err != nil && !errors.Is(err, io.EOF) {
		return Policy{}, fmt.Errorf("read policy: %w", err)
	}
	if err := policy.check(); err != nil {
		return Policy{}, fmt.Errorf("read policy: %w", err)
	}
	return policy, nil
}

func (p Policy) check() error {
	c := p.Comparison
	switch {
	case len(p.Must) == 0:
		return errors.New("must is empty: a gate that asks for nothing is none")
	case c.Alpha <= 0 || c.Alpha >= 0.5:
		return fmt.Errorf("comparison.alpha %g is not between 0 and 0.5", c.Alpha)
	case c.SharePerMille < 0 || c.ErrorsPerMille <= 0 || c.ToleranceMs <= 0:
		return errors.New("comparison: errorsPerMille and toleranceMs must be above zero, sharePerMille not below")
	}
	for _, b := range p.Budgets.Latency {
		if b.Stage == "" || b.AtMostMs <= 0 || !isQuantile(b.Quantile) {
			return fmt.Errorf("latency budget %+v needs a stage, a quantile between 1 and 999 and a limit", b)
		}
	}
	for _, b := range p.Budgets.Recovery {
		if b.Promise == "" || b.AtMost <= 0 {
			return fmt.Errorf("recovery budget %+v needs a promise and a limit", b)
		}
	}
	for _, q := range append(append([]int(nil), c.Quantiles...), c.Watched...) {
		if !isQuantile(q) {
			return fmt.Errorf("quantile %d is not between 1 and 999 per mille", q)
		}
	}
	return nil
}

func isQuantile(q int) bool { return q >= 1 && q <= 999 }

func (p Policy) acceptsKnown() bool { return p.Known == nil || *p.Known }

// matches compares a name with a pattern in which * stands for any text.
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	name = name[len(parts[0]):]
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name = name[at+len(part):]
	}
	return strings.HasSuffix(name, parts[last])
}

func matchesAny(patterns []string, name string) bool {
	for _, pattern := range patterns {
		if matches(pattern, name) {
			return true
		}
	}
	return false
}
