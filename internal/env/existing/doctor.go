package existing

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/wayproof/wayproof/internal/kube"
)

// patient is the cluster under examination.
type patient struct {
	cluster *kube.Cluster
	options Options
}

// check looks at one thing. It always has an answer: what it cannot find out
// is a finding that is not OK.
type check func(ctx context.Context, p patient) []Finding

// Doctor examines a cluster and says of each thing that wayproof needs whether
// it is there, and what to do if not. It changes nothing.
func Doctor(ctx context.Context, cluster *kube.Cluster, options Options) []Finding {
	p := patient{cluster: cluster, options: options}
	checks := []check{
		kubernetesVersion, gatewayAPI, istioVersion, nodeProxy, cniPlugin, meshSettings,
		metricsAPI, rights, agentImage, namespaces, leftovers, openShift,
	}
	found := make([][]Finding, len(checks))
	group, ctx := errgroup.WithContext(ctx)
	for i, look := range checks {
		group.Go(func() error {
			found[i] = look(ctx, p)
			return nil // findings carry what went wrong
		})
	}
	if err := group.Wait(); err != nil {
		return []Finding{unknown("preflight", err)}
	}
	return slices.Concat(found...)
}

func good(check, needed, format string, args ...any) Finding {
	return Finding{Check: check, OK: true, Needed: needed, Detail: fmt.Sprintf(format, args...)}
}

func bad(check, needed, detail, remedy string) Finding {
	return Finding{Check: check, Needed: needed, Detail: detail, Remedy: remedy}
}

func unknown(check string, err error) Finding {
	return bad(check, Everything, err.Error(), "make sure that the API server answers and that you may read this")
}

// Who needs what, beside Everything.
const (
	tracingTask  = "task 3"
	scalingTasks = "tasks 8 and 9"
	retryClaims  = "HTTPRoute retries"
)
