package kind

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// The engine's command line is used for the few things that kind's library
// does not offer.

// command runs the engine and returns what it printed.
func (e *Environment) command(ctx context.Context, args ...string) (string, error) {
	output, err := exec.CommandContext(ctx, e.engine, args...).CombinedOutput()
	text := strings.TrimSpace(string(output))
	if err != nil {
		return text, fmt.Errorf("%s %s: %w: %s", e.engine, strings.Join(args, " "), err, text)
	}
	return text, nil
}

// network is the engine's network that kind puts nodes on.
const network = "kind"

func (e *Environment) networkExists(ctx context.Context) bool {
	_, err := e.command(ctx, "network", "inspect", network)
	return err == nil
}

// removeNetwork removes the network unless other containers still use it, also
// such as are stopped: an inspection of the network does not count those.
func (e *Environment) removeNetwork(ctx context.Context) error {
	if !e.networkExists(ctx) {
		return nil
	}
	users, err := e.command(ctx, "ps", "-aq", "--filter", "network="+network)
	if err != nil || users != "" {
		return err
	}
	_, err = e.command(ctx, "network", "rm", network)
	return err
}

// hasImage asks the engine for an image.
func (e *Environment) hasImage(ctx context.Context, ref string) bool {
	_, err := e.command(ctx, "image", "inspect", ref)
	return err == nil
}

// stopped lists the nodes of the cluster whose containers do not run.
func (e *Environment) stopped(ctx context.Context) ([]string, error) {
	output, err := e.command(ctx, "ps", "-a", "--filter", "label=io.x-k8s.kind.cluster="+e.options.Cluster,
		"--format", "{{.Names}} {{.State}}")
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(output) {
		name, status, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "" && status != "running" {
			names = append(names, name)
		}
	}
	return names, nil
}
