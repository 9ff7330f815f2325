// Command flanneld keeps a route to every other node's pod range, by flannel's
// own subnet manager and host-gw backend.
//
// flannel's published main links every cloud back end, one of which no module
// proxy can be counted on to serve; the cluster that wayproof builds needs just
// host-gw, so this main wires that and nothing else. The daemon (rather than
// routes written once) is what brings pod traffic between nodes back after a
// node container restarts with another address.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/flannel-io/flannel/pkg/backend"
	_ "github.com/flannel-io/flannel/pkg/backend/hostgw" // registers host-gw
	"github.com/flannel-io/flannel/pkg/ipmatch"
	"github.com/flannel-io/flannel/pkg/subnet/kube"
)

func main() {
	netConf := flag.String("net-config-path", "/etc/kube-flannel/net-conf.json", "network configuration")
	iface := flag.String("iface", "eth0", "interface whose address the other nodes route to")
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig; empty means the pod's service account")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *netConf, *iface, *kubeconfig); err != nil {
		fmt.Fprintln(os.Stderr, "flanneld:", err)
		os.Exit(1)
	}
}

// run registers this node's pod range and then follows the other nodes' until
// ctx ends.
func run(ctx context.Context, netConf, iface, kubeconfig string) error {
	subnets, err := kube.NewSubnetManager(ctx, "", kubeconfig, "flannel.alpha.coreos.com", netConf, false)
	if err != nil {
		return fmt.Errorf("watch the nodes' pod ranges: %w", err)
	}
	config, err := subnets.GetNetworkConfig(ctx)
	if err != nil {
		return fmt.Errorf("read %s: %w", netConf, err)
	}
	stack, err := ipmatch.GetIPFamily(config.EnableIPv4, config.EnableIPv6)
	if err != nil {
		return fmt.Errorf("address families of %s: %w", netConf, err)
	}
	external, err := ipmatch.LookupExtIface(iface, "", "", stack, ipmatch.PublicIPOpts{})
	if err != nil {
		return fmt.Errorf("look up interface %s: %w", iface, err)
	}
	routes, err := backend.NewManager(ctx, subnets, external).GetBackend(config.BackendType)
	if err != nil {
		return fmt.Errorf("back end %q: %w", config.BackendType, err)
	}
	var running sync.WaitGroup
	network, err := routes.RegisterNetwork(ctx, &running, config)
	if err != nil {
		return fmt.Errorf("register this node's pod range: %w", err)
	}
	network.Run(ctx)
	running.Wait()
	return nil
}
