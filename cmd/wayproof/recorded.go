package main

import "github.com/spf13/cobra"

// recordedCommands are the commands that work on recorded runs and need no
// cluster.
func recordedCommands() []*cobra.Command {
	return []*cobra.Command{replayCommand(), reportCommand(), gateCommand(), historyCommand(), attestCommand(), verifyCommand()}
}
