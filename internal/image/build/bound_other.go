//go:build !linux

package build

import "os/exec"

// Roots and stores of nodes are made on Linux only.
func bound(cmd *exec.Cmd) *exec.Cmd { return cmd }
func alone(cmd *exec.Cmd) *exec.Cmd { return cmd }
