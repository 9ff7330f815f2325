package ready

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/wayproof/wayproof/internal/kube"
)

// debugPort serves istiod's debug endpoints to callers from the pod's own
// loopback address, which is where a port forward comes from.
const debugPort = 15014

// istiods are the debug endpoints of every istiod replica: each knows only the
// proxies that are connected to it.
type istiods struct {
	replicas []replica
	client   *http.Client
}

type replica struct {
	name    string
	forward *kube.Forward
}

// dial opens a forward to each running istiod of a namespace. The caller
// closes it.
func dial(ctx context.Context, cluster *kube.Cluster, namespace string) (*istiods, error) {
	pods, err := cluster.PodsBy(ctx, namespace, "app=istiod")
	if err != nil {
		return nil, err
	}
	all := &istiods{client: &http.Client{Transport: &http.Transport{}}}
	for i := range pods {
		if !kube.Ready(&pods[i]) {
			continue
		}
		port := kube.Port{Pod: kube.Ref{Namespace: namespace, Name: pods[i].Name}, Number: debugPort}
		forward, err := cluster.Forward(ctx, port)
		if err != nil {
			all.close()
			return nil, err
		}
		all.replicas = append(all.replicas, replica{name: pods[i].Name, forward: forward})
	}
	if len(all.replicas) == 0 {
		all.close()
		return nil, fmt.Errorf("no ready istiod in namespace %s (%d pods)", namespace, len(pods))
	}
	return all, nil
}

func (a *istiods) close() {
	a.client.CloseIdleConnections()
	for _, r := range a.replicas {
		r.forward.Close()
	}
}

func (a *istiods) get(ctx context.Context, r replica, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.forward.Address+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s for %s: %w", r.name, path, err)
	}
	response, err := a.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask %s for %s: %w", r.name, path, err)
	}
	body, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return nil, fmt.Errorf("ask %s for %s: %w", r.name, path, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask %s for %s: status %d %.120q (are istiod's debug endpoints switched off?)",
			r.name, path, response.StatusCode, body)
	}
	return body, nil
}

// proxies reads syncz of every replica, by pod.
func (a *istiods) proxies(ctx context.Context) (map[string]proxy, error) {
	all := map[string]proxy{}
	for _, r := range a.replicas {
		raw, err := a.get(ctx, r, "/debug/syncz")
		if err != nil {
			return nil, err
		}
		found, err := readSyncz(r.name, raw)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			all[p.ID] = p
		}
	}
	return all, nil
}

// missing says which markers of a nonce some replica does not have yet, empty
// if all have all.
func (a *istiods) missing(ctx context.Context, nonce string) (string, error) {
	var lacks []string
	for _, r := range a.replicas {
		raw, err := a.get(ctx, r, "/debug/configz")
		if err != nil {
			return "", err
		}
		for _, kind := range kinds {
			if !strings.Contains(string(raw), kind+"-"+nonce) {
				lacks = append(lacks, r.name+" has not seen the "+kind+" marker")
			}
		}
	}
	return strings.Join(lacks, "; "), nil
}
