package fault

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wayproof/wayproof/chaos"
	"github.com/wayproof/wayproof/chaos/pledge"
	"github.com/wayproof/wayproof/internal/kube"
)

// onNode is a fault that a hand does and undoes. What was on the node before may
// stay there.
func onNode(ctx context.Context, site Site, target string, d pledge.Deed, took func(look string) bool) (*Injection, error) {
	before, err := site.Post.Leftovers(ctx)
	if err != nil {
		return nil, err
	}
	looks := func(ctx context.Context) (bool, string, error) {
		look, err := site.Post.Hand(ctx, "look", d)
		return err == nil && took(look), look, err
	}
	return &Injection{
		Target: target, Undo: []pledge.Step{{Say: fmt.Sprintf("undo %s on node %s", d.Kind, d.Node), Deed: &d}},
		inject: func(ctx context.Context) error {
			_, err := site.Post.Hand(ctx, "do", d)
			return err
		},
		confirm: func(ctx context.Context) (string, error) {
			return eventually(ctx, d.Kind+" to show on node "+d.Node, looks)
		},
		still: glance(looks),
		whole: func(ctx context.Context) (string, error) {
			found, err := site.Post.Leftovers(ctx)
			if err != nil {
				return "", err
			}
			if left := added(before[d.Node], found[d.Node]); len(left) > 0 {
				return "", fmt.Errorf("node %s still has %s", d.Node, strings.Join(left, ", "))
			}
			return "nothing is left on node " + d.Node, nil
		},
	}, nil
}

// added lists what there is more of than before, each as often as it is.
func added(before, after []string) []string {
	had := map[string]int{}
	for _, line := range before {
		had[line]++
	}
	return slices.DeleteFunc(slices.Clone(after), func(line string) bool {
		had[line]--
		return had[line] >= 0
	})
}

// then adds to the proof that all is whole.
func (i *Injection) then(more func(context.Context) (string, error)) *Injection {
	before := i.whole
	i.whole = func(ctx context.Context) (string, error) {
		first, err := before(ctx)
		if err != nil {
			return "", err
		}
		second, err := more(ctx)
		return first + "; " + second, err
	}
	return i
}

// hang stops Envoy in one pod of a waypoint: it answers nothing, and its kernel
// still accepts connections.
func hang(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	victim, _, err := victimOf(ctx, site, spec)
	if err != nil {
		return nil, err
	}
	d := pledge.Deed{Node: victim.Spec.NodeName, Kind: pledge.Stop, Pod: string(victim.UID), Program: "envoy"}
	made, err := onNode(ctx, site, "Envoy of pod "+named(victim), d, allStopped)
	if err != nil {
		return nil, err
	}
	return made.then(available(site, spec.Target)), nil
}

// allStopped is true of processes of which there is one at least and each is in
// state T: "envoy 12 T, envoy 13 T".
func allStopped(look string) bool {
	for one := range strings.SplitSeq(look, ", ") {
		if !strings.HasPrefix(one, "envoy") || !strings.HasSuffix(one, " T") {
			return false
		}
	}
	return true
}

// hbone is the port of the mesh's tunnels, xds that of istiod.
const (
	hbone = 15008
	xds   = 15012
)

// counted matches the counter of a rule that has met packets.
var counted = regexp.MustCompile(`counter packets [1-9]`)

// partition drops all packets of a leg at one pod of a waypoint; with percent=N
// it drops so many of a hundred, drawn by the kernel.
func partition(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	victim, _, err := victimOf(ctx, site, spec)
	if err != nil {
		return nil, err
	}
	rule, err := legRule(ctx, site, spec)
	if err != nil {
		return nil, err
	}
	d := pledge.Deed{
		Node: victim.Spec.NodeName, Kind: pledge.Rules, Pod: string(victim.UID), Name: "wayproof_" + spec.Name, Rules: []pledge.Rule{rule},
	}
	made, err := onNode(ctx, site, fmt.Sprintf("leg %s at pod %s", spec.Params["leg"], named(victim)), d, counted.MatchString)
	if err != nil {
		return nil, err
	}
	return made.then(available(site, spec.Target)), nil
}

// legRule is the packet rule of a leg, as the waypoint's pod sees its packets.
func legRule(ctx context.Context, site Site, spec chaos.Spec) (pledge.Rule, error) {
	draw := ""
	if text := spec.Params["percent"]; text != "" {
		percent, err := strconv.Atoi(text)
		if err != nil || percent < 1 || percent > 99 {
			return pledge.Rule{}, fmt.Errorf("percent=%q is not 1 to 99", text)
		}
		draw = fmt.Sprintf("numgen random mod 100 < %d ", percent)
	}
	switch leg := spec.Params["leg"]; leg {
	case "client-waypoint":
		return pledge.Rule{Hook: "input", Text: fmt.Sprintf("tcp dport %d %scounter drop", hbone, draw)}, nil
	case "waypoint-istiod":
		return pledge.Rule{Hook: "output", Text: fmt.Sprintf("tcp dport %d %scounter drop", xds, draw)}, nil
	case "waypoint-backend":
		addresses, err := backends(ctx, site, spec.Params["backend"])
		text := fmt.Sprintf("ip daddr { %s } tcp dport %d %scounter drop", strings.Join(addresses, ", "), hbone, draw)
		return pledge.Rule{Hook: "output", Text: text}, err
	default:
		return pledge.Rule{}, fmt.Errorf("no leg %q; there are client-waypoint, waypoint-backend, waypoint-istiod", leg)
	}
}

// backends are the addresses of the pods of an app, namespace/app.
func backends(ctx context.Context, site Site, app string) ([]string, error) {
	namespace, name := ref(app)
	pods, err := site.Cluster.PodsBy(ctx, namespace, "app="+name)
	if err != nil {
		return nil, err
	}
	var addresses []string
	for _, pod := range pods {
		if kube.Ready(&pod) {
			addresses = append(addresses, pod.Status.PodIP)
		}
	}
	if len(addresses) == 0 {
		return nil, fmt.Errorf("no ready pod of %s", app)
	}
	return addresses, nil
}

// burnFor bounds a burn by its own timer, should everything else fail.
const burnFor = 5 * time.Minute

// burn keeps the CPUs of a waypoint's node busy: workers=N.
func burn(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	pods, err := waypointPods(ctx, site, spec.Target)
	if err != nil {
		return nil, err
	}
	workers, err := strconv.Atoi(spec.Params["workers"])
	if err != nil || workers < 1 || workers > 16 {
		return nil, fmt.Errorf("workers=%q is not 1 to 16", spec.Params["workers"])
	}
	d := pledge.Deed{Node: pods[0].Spec.NodeName, Kind: pledge.Burn, Name: "wayproof_burn", Workers: workers, For: min(burnFor, spec.Hold+time.Minute)}
	return onNode(ctx, site, fmt.Sprintf("%d threads beside pod %s", workers, named(pods[0])), d, burnt)
}

// spentCPU finds the seconds in "2 burning, 1.3 s of CPU burnt".
var spentCPU = regexp.MustCompile(`, ([0-9.]+) s of CPU`)

// burnt is evidence that CPU was really taken, not only that a thread wants it.
func burnt(look string) bool {
	found := spentCPU.FindStringSubmatch(look)
	if found == nil {
		return false
	}
	seconds, err := strconv.ParseFloat(found[1], 64)
	return err == nil && seconds >= 1
}

// delay holds the packets that leave one pod of a waypoint by a fixed time:
// answers to clients, requests to backends. Netem does it where the kernel has
// it, else a queue in user space.
func delay(ctx context.Context, site Site, spec chaos.Spec) (*Injection, error) {
	victim, _, err := victimOf(ctx, site, spec)
	if err != nil {
		return nil, err
	}
	length, err := time.ParseDuration(spec.Params["by"])
	if err != nil || length <= 0 || length > 10*time.Second {
		return nil, fmt.Errorf("by=%q is no delay up to 10s", spec.Params["by"])
	}
	d := pledge.Deed{Node: victim.Spec.NodeName, Kind: pledge.Delay, Pod: string(victim.UID), For: length}
	made, err := onNode(ctx, site, fmt.Sprintf("packets of pod %s by %v", named(victim), length), d, late)
	if err != nil {
		return nil, err
	}
	return made.then(available(site, spec.Target)), nil
}

// holding matches what the queue says of packets that it held.
var holding = regexp.MustCompile(`held [1-9][0-9]* packets`)

func late(look string) bool { return strings.Contains(look, "netem") || holding.MatchString(look) }
