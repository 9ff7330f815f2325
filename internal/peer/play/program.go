package play

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/wayproof/wayproof/internal/peer"
)

// longest bounds one order: twenty tests, each of which may take 30 s for every
// request that never gets its answer.
const longest = "20m"

// Compile compiles the suite of a checkout into a folder.
func Compile(ctx context.Context, source, dir string) (string, error) {
	path, err := filepath.Abs(filepath.Join(dir, "upstream.test"))
	if err != nil {
		return "", fmt.Errorf("name the compiled suite: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-tags", "cluster", "-o", path, ".")
	cmd.Dir = filepath.Join(source, "suites", "upstream")
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compile suites/upstream: %w: %s", err, strings.TrimSpace(string(output)))
	}
	return path, nil
}

// process runs one spec of the compiled suite and returns what its tests said;
// tell is told each as it is reached. A test that failed is no error: a spec that
// did not come to its end is.
type process struct {
	program string
	log     io.Writer // gets everything that the suite prints
	tell    func(peer.Outcome)
}

func (p process) run(ctx context.Context, spec string, order peer.Order) ([]peer.Outcome, error) {
	variable, err := order.Variable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, p.program, "-test.v=test2json", "-test.count=1", "-test.timeout="+longest, "-test.run=^"+spec+"$")
	cmd.Env = append(os.Environ(), variable)
	reader, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	read := make(chan transcript, 1)
	go func() { read <- listen(io.TeeReader(reader, p.log), spec, p.tell) }()
	err = cmd.Run()
	writer.Close()
	heard := <-read
	return heard.outcomes, heard.verdict(spec, err)
}

// verdict is what kept a spec from its end, if anything did.
func (t transcript) verdict(spec string, ended error) error {
	exited := &exec.ExitError{}
	switch {
	case t.err != nil:
		return fmt.Errorf("read what %s says: %w", spec, t.err)
	case ended != nil && !errors.As(ended, &exited):
		return fmt.Errorf("run %s of upstream's suite: %w", spec, ended)
	case !t.ended:
		return fmt.Errorf("%s of upstream's suite did not end: %w: %s", spec, errors.Join(ended, errNoEnd), strings.Join(t.last, "; "))
	case ended != nil && len(t.outcomes) == 0:
		return fmt.Errorf("%s of upstream's suite: %w: %s", spec, ended, strings.Join(t.last, "; "))
	}
	return nil
}

var errNoEnd = errors.New("its last line is missing")
