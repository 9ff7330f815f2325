package kind

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// state is what is remembered of a cluster outside of it: that it is ours, how
// far its making got, and what it was made of. It is written before the first
// node, so that a killed run can be told from somebody else's cluster.
type state struct {
	Cluster string `json:"cluster"`
	// Created is false while nodes are being made: such a cluster is half a one.
	Created bool `json:"created"`
	// Node identifies the node image; another one means another cluster.
	Node string `json:"node"`
	// Mesh digests what was installed; a difference means installing again.
	Mesh string `json:"mesh,omitempty"`
	// Source is where its images came from; under auto they go on coming from there.
	Source string `json:"source,omitempty"`
	// Network says that the engine's network came with this cluster, or with
	// another one of ours, and goes with the last.
	Network bool `json:"network"`
	// Kubeconfig is the file that got the cluster's entry; KubeconfigMade says
	// that the file came with this cluster, or with another one of ours.
	Kubeconfig     string `json:"kubeconfig"`
	KubeconfigMade bool   `json:"kubeconfigMade,omitempty"`
}

func statePath(dir, cluster string) string { return filepath.Join(dir, cluster+".json") }

// readState returns nil if wayproof made no cluster of that name.
func readState(dir, cluster string) (*state, error) {
	content, err := os.ReadFile(statePath(dir, cluster))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // "no such cluster of ours" is an answer, not an error
	}
	if err != nil {
		return nil, fmt.Errorf("read what is known of cluster %s: %w", cluster, err)
	}
	known := &state{}
	if err := json.Unmarshal(content, known); err != nil {
		return nil, fmt.Errorf("read what is known of cluster %s: %w", cluster, err)
	}
	return known, nil
}

// others are what is known of the other clusters of ours.
func others(dir, cluster string) ([]*state, error) {
	files, err := filepath.Glob(statePath(dir, "*"))
	if err != nil {
		return nil, fmt.Errorf("list the clusters in %s: %w", dir, err)
	}
	var found []*state
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if name == cluster {
			continue
		}
		known, err := readState(dir, name)
		if err != nil {
			return nil, err
		}
		if known != nil {
			found = append(found, known)
		}
	}
	return found, nil
}

func (s *state) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", dir, err)
	}
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode what is known of cluster %s: %w", s.Cluster, err)
	}
	partial := statePath(dir, s.Cluster) + ".partial"
	if err := os.WriteFile(partial, content, 0o600); err != nil {
		return fmt.Errorf("remember cluster %s: %w", s.Cluster, err)
	}
	return os.Rename(partial, statePath(dir, s.Cluster))
}

// changing stands in the place of the mesh's digest while releases are moved:
// what a failed change leaves is neither the old mesh nor the new one.
const changing = "changing"

// unsettle remembers that the mesh is about to change. A cluster that never had
// one has nothing to lose, and stays one without.
func (s *state) unsettle(dir string) error {
	if s.Mesh == "" {
		return nil
	}
	s.Mesh = changing
	return s.write(dir)
}

func forget(dir, cluster string) error {
	var failed []error
	for _, file := range []string{statePath(dir, cluster), statePath(dir, cluster) + ".lock"} {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			failed = append(failed, fmt.Errorf("forget cluster %s: %w", cluster, err))
		}
	}
	return errors.Join(failed...)
}
