package attack_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/cmd/agent/attack"
)

// run is `agent attack` with this on its stdin, and its exit code.
func run(ctx context.Context, stdin string) (stdout string, code int) {
	command := attack.Command()
	var out bytes.Buffer
	command.SetIn(strings.NewReader(stdin))
	command.SetOut(&out)
	command.SetErr(&out)
	command.SetArgs([]string{}) // nil would read the test program's own
	command.SilenceErrors, command.SilenceUsage = true, true
	err := command.ExecuteContext(ctx)
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		return out.String(), coded.ExitCode()
	}
	return out.String(), 0
}

func order(url, rest string) string {
	return `{"load":{"rate":100,"hits":20,"clients":1,"timeoutNs":1000000000,"connections":"keepalive","idPrefix":"a",` +
		`"targets":[{"name":"t","method":"GET","url":"` + url + `"}]}` + rest + "}\n"
}

func TestExitCodes(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	ended, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for name, row := range map[string]struct {
		ctx   context.Context //nolint:containedctx // a table of a test
		stdin string
		code  int
		says  string
	}{
		"carried out": {t.Context(), order(server.URL, ""), 0, `"completed":20`},
		"stopped":     {t.Context(), order(server.URL, "") + "stop\n", 0, `"stopped":true`},
		"refused":     {t.Context(), order("http://example.com", ""), 2, "outside the cluster"},
		"aborted":     {t.Context(), order(server.URL, "") + "abort\n", 3, "aborted by the driver"},
		"orphaned":    {t.Context(), order(server.URL, `,"hold":true`), 3, "the driver is gone"},
		"terminated":  {ended, order(server.URL, ""), 3, "aborted"},
	} {
		t.Run(name, func(t *testing.T) {
			out, code := run(row.ctx, row.stdin)
			assert.Equal(t, row.code, code)
			lines := strings.Split(strings.TrimSpace(out), "\n")
			require.NotEmpty(t, lines)
			assert.Contains(t, lines[len(lines)-1], row.says)
		})
	}
}
