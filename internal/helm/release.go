package helm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
)

// Release is what shall be there.
type Release struct {
	Name      string
	Namespace string
	Source    Source
	Values    map[string]any
	// CreateNamespace makes the namespace if it is missing.
	CreateNamespace bool
	// Wait is how long to wait for the release's workloads; zero does not wait.
	Wait time.Duration
}

// Outcome says what Ensure did.
type Outcome string

// What Ensure can have done.
const (
	Installed Outcome = "installed"
	Upgraded  Outcome = "upgraded"
	Unchanged Outcome = "unchanged"
	Repaired  Outcome = "repaired"
)

// digestLabel on a release holds a digest of chart and values.
const digestLabel = "wayproof.dev/digest"

// keptRevisions bounds the secrets that a release leaves in its namespace.
const keptRevisions = 3

// Ensure makes the release be as described. It does nothing if the deployed
// one has the same chart and values; it first clears away what an interrupted
// or failed call left.
func (c *Client) Ensure(ctx context.Context, want Release) (Outcome, error) {
	outcome, err := c.ensure(ctx, want)
	if err != nil {
		return "", fmt.Errorf("release %s in namespace %s: %w", want.Name, want.Namespace, err)
	}
	return outcome, nil
}

func (c *Client) ensure(ctx context.Context, want Release) (Outcome, error) {
	loaded, err := want.Source.Load(ctx)
	if err != nil {
		return "", err
	}
	digest, err := Digest(loaded, want.Values)
	if err != nil {
		return "", err
	}
	configuration, err := c.in(want.Namespace)
	if err != nil {
		return "", err
	}
	last, err := lastOf(configuration, want.Name)
	if err != nil {
		return "", err
	}
	job := job{configuration: configuration, want: want, chart: loaded, digest: digest}
	switch planFor(last, digest) {
	case doNothing:
		return Unchanged, nil
	case doInstall:
		return Installed, job.install(ctx)
	case doUpgrade:
		return Upgraded, job.upgrade(ctx)
	default:
		return Repaired, job.repair(ctx, last)
	}
}

// Status is the state of a release's last revision, empty if there is none.
func (c *Client) Status(namespace, name string) (release.Status, error) {
	configuration, err := c.in(namespace)
	if err != nil {
		return "", err
	}
	last, err := lastOf(configuration, name)
	if err != nil || last == nil {
		return "", err
	}
	return last.Info.Status, nil
}

func lastOf(configuration *action.Configuration, name string) (*release.Release, error) {
	last, err := configuration.Releases.Last(name)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look it up: %w", err)
	}
	return last, nil
}

// plan is what the last revision calls for.
type plan int

const (
	doNothing plan = iota
	doInstall
	doUpgrade
	doRepair
)

func planFor(last *release.Release, digest string) plan {
	switch {
	case last == nil || last.Info.Status == release.StatusUninstalled:
		return doInstall
	case last.Info.Status != release.StatusDeployed:
		return doRepair
	case last.Labels[digestLabel] == digest:
		return doNothing
	default:
		return doUpgrade
	}
}

// Digest identifies a chart with its values: 40 hex digits, which fit a label.
func Digest(loaded *chart.Chart, values map[string]any) (string, error) {
	hash := sha256.New()
	files := slices.Clone(loaded.Raw)
	slices.SortFunc(files, func(a, b *chart.File) int { return strings.Compare(a.Name, b.Name) })
	for _, file := range files {
		_, _ = fmt.Fprintf(hash, "%s %d\n", file.Name, len(file.Data)) // a hash never fails to write
		_, _ = hash.Write(file.Data)
	}
	encoded, err := json.Marshal(values)
	if err != nil {
		return "", fmt.Errorf("encode values: %w", err)
	}
	_, _ = hash.Write(encoded)
	return hex.EncodeToString(hash.Sum(nil))[:40], nil
}

// copied protects a caller's values: charts write into what they are given.
func copied(values map[string]any) (map[string]any, error) {
	encoded, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("encode values: %w", err)
	}
	fresh, err := chartutil.ReadValues(encoded)
	if err != nil {
		return nil, fmt.Errorf("copy values: %w", err)
	}
	return fresh.AsMap(), nil
}
