// Package pack makes the archive of one channel's definitions out of the
// gateway-api module, for the generator and for the test that holds the
// committed archives against the module.
package pack

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// module is where the definitions come from, at the version in go.mod.
const module = "sigs.k8s.io/gateway-api"

// Channel packs the YAML files of a channel's directory, in the order of their
// names, as one gzipped stream of documents. The same files give the same bytes.
func Channel(ctx context.Context, channel string) ([]byte, error) {
	documents, err := Documents(ctx, channel)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	writer, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", channel, err)
	}
	if _, err := writer.Write(documents); err != nil {
		return nil, fmt.Errorf("pack %s: %w", channel, err)
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("pack %s: %w", channel, err)
	}
	return packed.Bytes(), nil
}

// Documents is the unpacked stream.
func Documents(ctx context.Context, channel string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return nil, fmt.Errorf("find module %s: %w", module, err)
	}
	pattern := filepath.Join(strings.TrimSpace(string(out)), "config", "crd", channel, "gateway.networking.*.yaml")
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no definitions at %s: %w", pattern, err)
	}
	var documents bytes.Buffer
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read definition: %w", err)
		}
		documents.WriteString("---\n")
		documents.Write(content)
	}
	return documents.Bytes(), nil
}
