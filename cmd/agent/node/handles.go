package node

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// Handles is what a process holds.
type Handles struct {
	Program    string
	PID        int
	Files      int // open descriptors
	Namespaces int // those of them that keep a namespace alive
	Threads    int
	Memory     int // resident, KiB
}

func handlesCommand() *cobra.Command {
	var programs []string
	command := &cobra.Command{
		Use:   "handles",
		Short: "Print what processes of these names hold, as JSON",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			held, err := handles("/proc", programs)
			if err != nil {
				return err
			}
			return printJSON(command.OutOrStdout(), held)
		},
	}
	command.Flags().StringSliceVar(&programs, "program", nil, "names of programs, as in /proc/PID/comm")
	return command
}

// handles passes over processes that end while they are looked at.
func handles(proc string, programs []string) ([]Handles, error) {
	folders, err := filepath.Glob(filepath.Join(proc, "[0-9]*"))
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	found := []Handles{}
	for _, folder := range folders {
		name, err := os.ReadFile(filepath.Join(folder, "comm"))
		if err != nil || !slices.Contains(programs, strings.TrimSpace(string(name))) {
			continue
		}
		held, err := handlesOf(folder)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look at process %s: %w", folder, err)
		}
		held.Program = strings.TrimSpace(string(name))
		found = append(found, held)
	}
	return found, nil
}

func handlesOf(folder string) (Handles, error) {
	var held Handles
	pid, err := strconv.Atoi(filepath.Base(folder))
	if err != nil {
		return held, err
	}
	held.PID = pid
	files, err := os.ReadDir(filepath.Join(folder, "fd"))
	if err != nil {
		return held, err
	}
	held.Files = len(files)
	for _, file := range files {
		// A link's text is of no use: that of a namespace which is mounted
		// somewhere is the path of the mount.
		var of unix.Statfs_t
		if unix.Statfs(filepath.Join(folder, "fd", file.Name()), &of) == nil && of.Type == unix.NSFS_MAGIC {
			held.Namespaces++
		}
	}
	status, err := os.ReadFile(filepath.Join(folder, "status"))
	if err != nil {
		return held, err
	}
	held.Threads, held.Memory = field(string(status), "Threads:"), field(string(status), "VmRSS:")
	return held, nil
}

// field is the number of a line of /proc/PID/status, 0 if there is none.
func field(status, name string) int {
	for line := range strings.Lines(status) {
		words := strings.Fields(line)
		if len(words) > 1 && words[0] == name {
			number, _ := strconv.Atoi(words[1])
			return number
		}
	}
	return 0
}
