package plain

import (
	"encoding/xml"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLineDisarmsTerminals(t *testing.T) {
	for name, test := range map[string]struct{ in, want string }{
		"escape sequence":  {"a\x1b[2Jb", "a[2Jb"},
		"carriage return":  {"VIOLATED\rHELD", "VIOLATEDHELD"},
		"newline":          {"a\n\n  b", "a b"},
		"override of text": {"a\u202Egpj", "agpj"},
		"bad UTF-8":        {"a\xffb", "a\uFFFDb"},
		"one-byte CSI":     {"a\u009b31mb", "a31mb"},
		"words stay":       {"cars-v2 → 30 %", "cars-v2 → 30 %"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, Line(test.in)) })
	}
}

func TestCut(t *testing.T) {
	assert.Equal(t, "héll…", Cut("héllo world", 5))
	assert.Equal(t, "héllo", Cut("héllo", 5))
}

func FuzzTextIsXML(f *testing.F) {
	f.Add("a\x00b\x1b]0;x\x07\uFFFE\xff")
	f.Fuzz(func(t *testing.T, s string) {
		out := Text(s)
		assert.True(t, utf8.ValidString(out))
		var b strings.Builder
		require.NoError(t, xml.EscapeText(&b, []byte(out)))
		var back string
		require.NoError(t, xml.Unmarshal([]byte("<a>"+b.String()+"</a>"), &back))
		assert.Equal(t, out, back)
	})
}
