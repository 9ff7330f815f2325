// Package plain makes strings that came from a cluster safe to show: pod
// names, headers and bodies are written by whoever is under test. It takes out
// what could move a cursor, reorder a line or break an XML document; escaping
// for a format is left to the format.
package plain

import (
	"strings"
	"unicode"
)

// Line gives s as one line: every run of white space is one space.
func Line(s string) string {
	return strings.Join(strings.Fields(Text(s)), " ")
}

// Text keeps newlines and tabs, and removes every other control character,
// the marks that reorder text, and what is no valid UTF-8.
func Text(s string) string {
	return strings.Map(keep, strings.ToValidUTF8(s, "\uFFFD"))
}

func keep(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == 0xFFFE, r == 0xFFFF:
		return -1
	default:
		return r
	}
}

// Cut shortens a line to at most n runes, the last of which then is "…".
func Cut(s string, n int) string {
	runes := []rune(Line(s))
	if len(runes) <= n {
		return string(runes)
	}
	return string(runes[:n-1]) + "…"
}
