package record

import (
	"strconv"
	"strings"
)

// TokenPlaceholder in the path or query of a Target's URL is replaced by the
// request's Token.
const TokenPlaceholder = "{token}"

// Token is the id of request seq under an id prefix, as a name made only of
// ASCII letters and digits: what a service logs of the request's own content is
// then unique to the request, also where its log knows no id. Within one prefix
// tokens differ; every other character of the prefix becomes an x.
func Token(prefix string, seq int) string { return TokenPrefix(prefix) + strconv.Itoa(seq) }

// TokenPrefix is what all tokens under an id prefix begin with, and what no
// token of another stage of the run does.
func TokenPrefix(prefix string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
			return r
		default:
			return 'x'
		}
	}, prefix) + "x"
}

// TokenSeq reads the number of the request back from a token under an id prefix.
func TokenSeq(prefix, token string) (int, bool) {
	digits, ok := strings.CutPrefix(token, TokenPrefix(prefix))
	if !ok {
		return 0, false
	}
	seq, err := strconv.Atoi(digits)
	return seq, err == nil && seq >= 0 && strconv.Itoa(seq) == digits
}
