package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
)

// Command is a program to run in a container that runs already.
type Command struct {
	Pod       Ref
	Container string // empty if the pod has only one
	Argv      []string
}

func (c Command) String() string {
	return fmt.Sprintf("%q in pod %s container %q", strings.Join(c.Argv, " "), c.Pod, c.Container)
}

// Streams are the ends of a command; nil ones are not connected.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// ExitError is a command that ran and ended with a code other than zero.
type ExitError struct {
	Command string
	Code    int
}

func (e *ExitError) Error() string { return fmt.Sprintf("run %s: exit code %d", e.Command, e.Code) }

// Exec runs a command until it ends or ctx does, over a websocket, or SPDY
// where the server knows no websockets.
func (c *Cluster) Exec(ctx context.Context, command Command, streams Streams) error {
	executor, err := c.executor(c.execURL(command, streams))
	if err != nil {
		return fmt.Errorf("prepare to run %s: %w", command, err)
	}
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{
		Stdin: streams.In, Stdout: streams.Out, Stderr: streams.Err,
	})
	if exited, ok := errors.AsType[exec.CodeExitError](err); ok {
		return &ExitError{Command: command.String(), Code: exited.Code}
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", command, err)
	}
	return nil
}

func (c *Cluster) execURL(command Command, streams Streams) *url.URL {
	return c.set.CoreV1().RESTClient().Post().
		Namespace(command.Pod.Namespace).Resource("pods").Name(command.Pod.Name).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{
			Container: command.Container,
			Command:   command.Argv,
			Stdin:     streams.In != nil,
			Stdout:    streams.Out != nil,
			Stderr:    streams.Err != nil,
		}, scheme.ParameterCodec).URL()
}

func (c *Cluster) executor(to *url.URL) (remotecommand.Executor, error) {
	websocket, err := remotecommand.NewWebSocketExecutor(c.config, "GET", to.String())
	if err != nil {
		return nil, err
	}
	spdy, err := remotecommand.NewSPDYExecutor(c.config, "POST", to)
	if err != nil {
		return nil, err
	}
	return remotecommand.NewFallbackExecutor(websocket, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
}
