package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"math/bits"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Machine says what this machine withholds from a cluster.
type Machine struct {
	Withheld    []int // numbers of the capabilities outside the bounding set
	CgroupV1    bool
	SysResource bool // whether CAP_SYS_RESOURCE is there
}

// capSysResource is the number of CAP_SYS_RESOURCE in capability.h.
const capSysResource = 24

// Inspect reads the machine's limits from the kernel.
func Inspect() (Machine, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return Machine{}, fmt.Errorf("read this process's capabilities: %w", err)
	}
	last, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if err != nil {
		return Machine{}, fmt.Errorf("read the kernel's last capability: %w", err)
	}
	withheld, err := withheldCapabilities(string(status), strings.TrimSpace(string(last)))
	if err != nil {
		return Machine{}, err
	}
	_, v2 := os.Stat("/sys/fs/cgroup/cgroup.controllers")
	machine := Machine{Withheld: withheld, CgroupV1: v2 != nil, SysResource: true}
	for _, number := range withheld {
		machine.SysResource = machine.SysResource && number != capSysResource
	}
	return machine, nil
}

// withheldCapabilities compares a process's bounding set with all that the
// kernel knows.
func withheldCapabilities(status, lastCap string) ([]int, error) {
	last, err := strconv.Atoi(lastCap)
	if err != nil {
		return nil, fmt.Errorf("kernel's last capability %q: %w", lastCap, err)
	}
	_, rest, found := strings.Cut(status, "CapBnd:")
	if !found {
		return nil, fmt.Errorf("no CapBnd in this process's status")
	}
	line, _, _ := strings.Cut(rest, "\n")
	bounding, err := strconv.ParseUint(strings.TrimSpace(line), 16, 64)
	if err != nil {
		return nil, fmt.Errorf("bounding set %q: %w", line, err)
	}
	missing := (uint64(1)<<(last+1) - 1) &^ bounding
	numbers := make([]int, 0, bits.OnesCount64(missing))
	for number := range last + 1 {
		if missing&(1<<number) != 0 {
			numbers = append(numbers, number)
		}
	}
	return numbers, nil
}

// configure writes the settings of an engine that wayproof starts. Where the
// machine withholds a capability, the engine's runtime is wrapped: asking for
// a capability that cannot be had makes runc fail.
func configure(ctx context.Context, source string, progress Progress) (string, error) {
	machine, err := Inspect()
	if err != nil {
		return "", err
	}
	settings := map[string]any{}
	if len(machine.Withheld) > 0 {
		runtime, err := reducedRuntime(ctx, source)
		if err != nil {
			return "", err
		}
		progress.Note("this machine withholds capabilities %v: containers run without them", machine.Withheld)
		settings["default-runtime"] = "reduced"
		settings["runtimes"] = map[string]any{"reduced": map[string]string{"path": runtime}}
	}
	content, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode the engine's settings: %w", err)
	}
	path := filepath.Join(home, "daemon.json")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return "", fmt.Errorf("write the engine's settings: %w", err)
	}
	return path, nil
}

// reducedRuntime compiles the wrapper around runc.
func reducedRuntime(ctx context.Context, source string) (string, error) {
	path := filepath.Join(home, "reduced-runc")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", path, "./internal/engine/reducedrunc")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compile the reduced runtime: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return path, nil
}
