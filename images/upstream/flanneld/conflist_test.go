package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The daemon restarts often; istio-cni's entry in the file must survive that,
// and a node that got another range must not keep the old one.
func TestWriteConflistKeepsAChainedPlugin(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, conflistName)
	if err := writeConflist(dir, "10.244.1.0/24", 1500); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	chained := strings.Replace(string(written), `"portmap"`, `"portmap"}, {"type": "istio-cni"`, 1)
	if err := os.WriteFile(path, []byte(chained), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		podRange string
		chained  bool
	}{{"10.244.1.0/24", true}, {"10.244.2.0/24", false}} {
		if err := writeConflist(dir, step.podRange, 1500); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(content), "istio-cni"); got != step.chained {
			t.Errorf("range %s: chained plugin kept = %v, want %v", step.podRange, got, step.chained)
		}
		if !strings.Contains(string(content), step.podRange) {
			t.Errorf("range %s is not in %s", step.podRange, content)
		}
	}
}
