// Command reducedrunc runs runc with every capability taken out of the request
// that this machine withholds. A privileged container asks for all there are,
// and runc fails on the first that it cannot give.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "reduced-runc:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	bounding, err := boundingSet()
	if err != nil {
		return err
	}
	if bundle := option(args, "--bundle", "-b"); bundle != "" {
		if err := reduce(filepath.Join(bundle, "config.json"), bounding, inSpec); err != nil {
			return err
		}
	}
	if process := option(args, "--process", "-p"); process != "" {
		if err := reduce(process, bounding, inProcess); err != nil {
			return err
		}
	}
	runc, err := exec.LookPath("runc")
	if err != nil {
		return fmt.Errorf("find runc: %w", err)
	}
	return syscall.Exec(runc, append([]string{"runc"}, args...), os.Environ())
}

// option finds the value of a flag, given as two words or as one.
func option(args []string, names ...string) string {
	for i, arg := range args {
		for _, name := range names {
			if arg == name && i+1 < len(args) {
				return args[i+1]
			}
			if len(arg) > len(name) && arg[:len(name)+1] == name+"=" {
				return arg[len(name)+1:]
			}
		}
	}
	return ""
}

// inSpec and inProcess find the process in a bundle's file and in an exec's.
func inSpec(file map[string]any) map[string]any {
	process, _ := file["process"].(map[string]any)
	return process
}

func inProcess(file map[string]any) map[string]any { return file }

// reduce rewrites one of runc's input files.
func reduce(path string, bounding map[string]bool, find func(map[string]any) map[string]any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read runc's input: %w", err)
	}
	var file map[string]any
	if err := json.Unmarshal(content, &file); err != nil {
		return fmt.Errorf("parse %s: %w", path, err)
	}
	sets, ok := find(file)["capabilities"].(map[string]any)
	if !ok {
		return nil
	}
	for name, set := range sets {
		if list, ok := set.([]any); ok {
			sets[name] = keep(list, bounding)
		}
	}
	reduced, err := json.Marshal(file)
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	return os.WriteFile(path, reduced, 0o600)
}

// keep leaves of a list of capability names those that can be had.
func keep(list []any, bounding map[string]bool) []any {
	kept := make([]any, 0, len(list))
	for _, item := range list {
		if name, ok := item.(string); ok && bounding[name] {
			kept = append(kept, item)
		}
	}
	return kept
}
