package loadgen_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
	"github.com/wayproof/wayproof/loadgen"
)

func TestPlaceholderBecomesTheTokenOfEachRequest(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	b := newBackend(t, func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked[r.RequestURI]++
	})
	l := load(b.URL+"/cars/{token}?again={token}", 500, 30)
	l.IDPrefix = "run-4"
	attack(t, loadgen.Plan{Load: l})
	assert.Len(t, asked, 30)
	for seq := range 30 {
		token := record.Token("run-4", seq)
		assert.Equal(t, 1, asked["/cars/"+token+"?again="+token], seq)
	}
}
