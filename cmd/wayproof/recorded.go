package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/record"
)

// recordedCommands are the commands that work on recorded runs and need no
// cluster.
func recordedCommands() []*cobra.Command {
	return []*cobra.Command{replayCommand(), reportCommand(), gateCommand(), historyCommand(), attestCommand(), verifyCommand()}
}

// ofTheMesh refuses a run that was played against a mutant, where a run is to say
// something about the mesh.
func ofTheMesh(run *record.Run) error {
	if mutant := run.Mutant(); mutant != "" {
		return fmt.Errorf("run %s was played against the mutant %s: it says nothing about the mesh", run.ID, mutant)
	}
	return nil
}
