// Package watchdog runs in the cluster and undoes faults whose harness is gone:
// it reads the pledges, watches the heartbeats, and carries out the steps that
// are its own. One watchdog for the whole cluster calls the API server; one on
// each node does what only the node can.
//
// It speaks to the API server by plain HTTPS with its service account's token:
// the agent that it is part of carries no Kubernetes client.
package watchdog

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wayproof/wayproof/chaos/pledge"
)

// accountDir is where a pod finds its service account.
const accountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// requestWithin bounds one request, so that an API server that hangs delays an
// undo and does not end it.
const requestWithin = 10 * time.Second

// Server is the API server as a pod's service account reaches it.
type Server struct {
	Base   string // https://host:port
	Token  func() (string, error)
	Client *http.Client
}

// InPod finds the API server from inside a pod.
func InPod() (*Server, error) {
	host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return nil, errors.New("find the api server: this is no pod, KUBERNETES_SERVICE_HOST is not set")
	}
	authority, err := os.ReadFile(filepath.Join(accountDir, "ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("read the cluster's authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, errors.New("the cluster's authority is no certificate")
	}
	return &Server{
		Base: "https://" + net.JoinHostPort(host, port), Token: accountToken,
		Client: &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, IdleConnTimeout: time.Minute,
		}},
	}, nil
}

// accountToken is read for each request: the kubelet renews it.
func accountToken() (string, error) {
	token, err := os.ReadFile(filepath.Join(accountDir, "token"))
	if err != nil {
		return "", fmt.Errorf("read the service account's token: %w", err)
	}
	return strings.TrimSpace(string(token)), nil
}

// statusError is an answer other than 2xx.
type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string { return fmt.Sprintf("status %d: %s", e.code, e.text) }

func absent(err error) bool {
	var status *statusError
	return errors.As(err, &status) && status.code == http.StatusNotFound
}

// Call makes one request and returns its body.
func (s *Server) Call(ctx context.Context, r pledge.Request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, r.Method, s.Base+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return nil, fmt.Errorf("make request %s %s: %w", r.Method, r.Path, err)
	}
	token, err := s.Token()
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Accept", "application/json")
	if r.ContentType != "" {
		request.Header.Set("Content-Type", r.ContentType)
	}
	response, err := s.Client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err == nil && response.StatusCode/100 != 2 {
		err = &statusError{code: response.StatusCode, text: strings.TrimSpace(string(body[:min(len(body), 300)]))}
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
	}
	return body, nil
}

// stored is a ConfigMap with a pledge, and what parties have said of it.
type stored struct {
	name   string
	data   map[string]string
	pledge pledge.Pledge
	broken error
}

const home = "/api/v1/namespaces/" + pledge.Namespace + "/configmaps"

// pledges lists what is written down.
func (s *Server) pledges(ctx context.Context) ([]stored, error) {
	body, err := s.Call(ctx, pledge.Request{Method: http.MethodGet, Path: home + "?labelSelector=" + pledge.Label})
	if err != nil {
		return nil, err
	}
	var list struct {
		Items []struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
			Data map[string]string `json:"data"`
		} `json:"items"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("read the list of pledges: %w", err)
	}
	found := make([]stored, len(list.Items))
	for i, item := range list.Items {
		found[i] = stored{name: item.Metadata.Name, data: item.Data}
		found[i].pledge, found[i].broken = pledge.Decode(item.Data[pledge.Key])
	}
	return found, nil
}

// stamp is the time that a run's heartbeat carries, "" if there is none.
func (s *Server) stamp(ctx context.Context, run string) (string, error) {
	body, err := s.Call(ctx, pledge.Request{Method: http.MethodGet, Path: leasePath(run)})
	if absent(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var lease struct {
		Spec struct {
			RenewTime string `json:"renewTime"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(body, &lease); err != nil {
		return "", fmt.Errorf("read heartbeat of run %s: %w", run, err)
	}
	return lease.Spec.RenewTime, nil
}

// say notes in a pledge that a party is done.
func (s *Server) say(ctx context.Context, name string, party pledge.Party) error {
	body, err := json.Marshal(map[string]any{"data": map[string]string{pledge.DoneKey(party): time.Now().UTC().Format(time.RFC3339)}})
	if err != nil {
		return err
	}
	_, err = s.Call(ctx, pledge.Request{
		Method: http.MethodPatch, Path: home + "/" + name, ContentType: "application/merge-patch+json", Body: body,
	})
	if absent(err) {
		return nil
	}
	return err
}

// erase takes a pledge away that all parties have carried out, and the
// heartbeat of its run: a harness that lives after all makes a new one.
func (s *Server) erase(ctx context.Context, one stored) error {
	for _, path := range []string{home + "/" + one.name, leasePath(one.pledge.Run)} {
		if _, err := s.Call(ctx, pledge.Request{Method: http.MethodDelete, Path: path}); err != nil && !absent(err) {
			return err
		}
	}
	return nil
}

func leasePath(run string) string {
	return "/apis/coordination.k8s.io/v1/namespaces/" + pledge.Namespace + "/leases/" + pledge.Lease(run)
}
