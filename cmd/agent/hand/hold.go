//go:build linux

package hand

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/chaos/deed"
	"github.com/wayproof/wayproof/chaos/hold"
)

// holdPackets is what the deed of a delay starts where the kernel has no netem:
// it holds a pod's packets, and ends by its own timer whatever became of whoever
// wanted it.
func holdPackets() *cobra.Command {
	order := hold.Order{Queue: deed.Queue}
	var length time.Duration
	command := &cobra.Command{Use: "hold", Short: "Hold the queued packets of a network namespace for a while", Args: cobra.NoArgs, RunE: func(command *cobra.Command, _ []string) error {
		ctx, cancel := context.WithTimeout(command.Context(), length)
		defer cancel()
		ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, os.Interrupt)
		defer stop()
		return hold.Hold(ctx, order)
	}}
	command.Flags().StringVar(&order.Network, "network", "", "file of the network namespace")
	command.Flags().DurationVar(&order.By, "by", 0, "how long each packet is held")
	command.Flags().DurationVar(&length, "for", time.Second, "how long packets are held at all")
	command.Flags().String("mark", "", "tells this process from others")
	return command
}
