package ledger

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/fixtures/travel/ledger"
)

func TestCommandReadsAndClears(t *testing.T) {
	kept := ledger.New(10)
	for _, id := range []string{"a1", "b1", "b2"} {
		kept.Record(id, "", time.Now(), httptest.NewRequest(http.MethodGet, "/", nil))
	}
	server := httptest.NewServer(kept.Handler())
	defer server.Close()
	t.Setenv("LEDGER_ADDRESS", server.Listener.Addr().String())
	run := func(args ...string) (string, error) {
		var out strings.Builder
		command := Command()
		command.SetArgs(append([]string{}, args...)) // nil would read the test program's own
		command.SetOut(&out)
		command.SetErr(&out)
		err := command.ExecuteContext(t.Context())
		return out.String(), err
	}

	text, err := run("--prefix", "b", "--since", "2")
	require.NoError(t, err)
	var ids []string
	end, err := ledger.Read(strings.NewReader(text), func(a ledger.Arrival) error {
		ids = append(ids, a.ID)
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"b2"}, ids)
	assert.Equal(t, uint64(3), end.Last)

	text, err = run("--stats")
	require.NoError(t, err)
	assert.Contains(t, text, `"held":3`)
	_, err = run("--clear")
	require.NoError(t, err)
	assert.Zero(t, kept.Stats().Held)
	_, err = run("--clear", "--stats")
	require.Error(t, err)
	t.Setenv("LEDGER_ADDRESS", "nowhere")
	_, err = run()
	require.ErrorContains(t, err, "read LEDGER_ADDRESS")
}

func TestLocalIsReachableFromThePod(t *testing.T) {
	for listen, want := range map[string]string{
		"": "localhost:8001", ":9": "localhost:9", "0.0.0.0:9": "localhost:9", "10.0.0.1:9": "10.0.0.1:9",
	} {
		address, err := local(listen)
		require.NoError(t, err)
		assert.Equal(t, want, address)
	}
}
