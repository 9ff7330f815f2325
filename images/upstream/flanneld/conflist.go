package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// conflistName sorts before anything that a distribution puts there.
const conflistName = "10-wayproof.conflist"

// conflist is the node's CNI configuration: a veth pair per pod, addresses from
// the node's own range, and host ports.
func conflist(podRange string, mtu int) ([]byte, error) {
	return json.MarshalIndent(map[string]any{
		"cniVersion": "0.4.0",
		"name":       "wayproof",
		"plugins": []map[string]any{
			{
				"type": "ptp", "ipMasq": false, "mtu": mtu,
				"ipam": map[string]any{
					"type": "host-local", "dataDir": "/run/cni-ipam-state",
					"ranges": [][]map[string]string{{{"subnet": podRange}}},
					"routes": []map[string]string{{"dst": "0.0.0.0/0"}},
				},
			},
			{"type": "portmap", "capabilities": map[string]bool{"portMappings": true}},
		},
	}, "", "  ")
}

// writeConflist writes the configuration unless the range already stands in
// it: istio-cni chains itself into the file, and a restart of this daemon must
// not undo that.
func writeConflist(dir, podRange string, mtu int) error {
	path := filepath.Join(dir, conflistName)
	present, err := os.ReadFile(path)
	if err == nil && strings.Contains(string(present), `"`+podRange+`"`) {
		return nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read %s: %w", path, err)
	}
	content, err := conflist(podRange, mtu)
	if err != nil {
		return fmt.Errorf("encode the CNI configuration: %w", err)
	}
	partial := path + ".partial"
	if err := os.WriteFile(partial, content, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", partial, err)
	}
	return os.Rename(partial, path)
}
