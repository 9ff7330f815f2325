package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/internal/kube"
)

// faulty is the variable by which the demo's services are told to misbehave.
const faulty = "FAULTY_BACKEND"

// backend makes a service of the demo faulty: order=status=503 or order=delay=1s,
// in the words of its environment. Its pods are replaced for it, and again
// after it.
func backend(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	set, unset, err := variable(ctx, site, spec.Target, faulty, spec.Params["order"])
	if err != nil {
		return nil, err
	}
	return &Injection{
		Target: spec.Target + " " + spec.Params["order"], Undo: []pledge.Step{unset},
		inject: do(site, set),
		confirm: func(ctx context.Context) (string, error) {
			if _, err := replaced(site, spec.Target)(ctx); err != nil {
				return "", err
			}
			return "every pod of " + spec.Target + " runs with " + faulty + "=" + spec.Params["order"], nil
		},
		still: glance(carries(site, spec.Target, faulty, spec.Params["order"])),
		whole: replaced(site, spec.Target),
	}, nil
}

// carries is evidence that a Deployment's container still has a variable of that value.
func carries(site Site, target, name, value string) kube.Probe {
	return func(ctx context.Context) (bool, string, error) {
		found, err := deployment(ctx, site, target)
		if err != nil {
			return false, "", err
		}
		for _, container := range found.Spec.Template.Spec.Containers {
			if slices.Contains(container.Env, corev1.EnvVar{Name: name, Value: value}) {
				return true, name + "=" + value, nil
			}
		}
		return false, "no " + name + "=" + value, nil
	}
}

// variable are the steps that set a variable of a Deployment's one container,
// and that take it away again. One that is set already is refused: the undo
// would lose it.
func variable(ctx context.Context, site Site, target, name, value string) (set, unset pledge.Step, err error) {
	now, err := deployment(ctx, site, target)
	if err != nil {
		return set, unset, err
	}
	containers := now.Spec.Template.Spec.Containers
	if len(containers) != 1 {
		return set, unset, fmt.Errorf("%s has %d containers, want one", target, len(containers))
	}
	if slices.ContainsFunc(containers[0].Env, func(v corev1.EnvVar) bool { return v.Name == name }) {
		return set, unset, fmt.Errorf("%s has a variable %s already", target, name)
	}
	if set, err = environment(target, containers[0].Name, map[string]any{"name": name, "value": value}); err != nil {
		return set, unset, err
	}
	unset, err = environment(target, containers[0].Name, map[string]any{"name": name, "$patch": "delete"})
	set.Say, unset.Say = fmt.Sprintf("set %s=%s for %s", name, value, target), fmt.Sprintf("take %s away from %s", name, target)
	return set, unset, err
}

func environment(target, container string, entry map[string]any) (pledge.Step, error) {
	body, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
		"containers": []any{map[string]any{"name": container, "env": []any{entry}}},
	}}}})
	if err != nil {
		return pledge.Step{}, fmt.Errorf("write patch of %s: %w", target, err)
	}
	return pledge.Step{Request: &pledge.Request{
		Method: "PATCH", Path: deploymentPath(target), ContentType: "application/strategic-merge-patch+json", Body: body,
	}}, nil
}
