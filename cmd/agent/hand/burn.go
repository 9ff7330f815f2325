//go:build linux

package hand

import (
	"context"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// burn is what the deed of that name starts: it keeps CPUs busy and ends by its
// own timer, whatever became of whoever wanted it.
func burn() *cobra.Command {
	var workers int
	var length time.Duration
	command := &cobra.Command{Use: "burn", Short: "Keep CPUs busy for a while", Args: cobra.NoArgs, Run: func(command *cobra.Command, _ []string) {
		ctx, cancel := context.WithTimeout(command.Context(), length)
		defer cancel()
		var busy sync.WaitGroup
		for range workers {
			busy.Go(func() {
				for ctx.Err() == nil {
				}
			})
		}
		busy.Wait()
	}}
	command.Flags().IntVar(&workers, "workers", 1, "threads")
	command.Flags().DurationVar(&length, "for", time.Second, "how long")
	command.Flags().String("mark", "", "tells this process from others")
	return command
}
