package record_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wayproof/wayproof/internal/record"
)

// Stages 1 and 11 of a run must not share tokens: with the separators dropped,
// request 17 of stage 1 and request 7 of stage 11 would both end in 117.
func TestTokensOfStagesAreApart(t *testing.T) {
	alnum := regexp.MustCompile(`^[0-9A-Za-z]+$`)
	seen := map[string]bool{}
	for _, prefix := range []string{"r1123-2015-ab-1", "r1123-2015-ab-11", "r1123-2015-ab-111"} {
		for seq := range 120 {
			token := record.Token(prefix, seq)
			assert.Regexp(t, alnum, token)
			assert.False(t, seen[token], token)
			seen[token] = true
			got, ok := record.TokenSeq(prefix, token)
			assert.True(t, ok)
			assert.Equal(t, seq, got)
		}
	}
}

func TestForeignTokensAreRefused(t *testing.T) {
	for _, token := range []string{"", "Madrid", "ax1x", "ax11x5", "ax1x-5", "ax1x05", "ax1x5y"} {
		_, ok := record.TokenSeq("a-1", token)
		assert.False(t, ok, token)
	}
}
