package wire

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/wayproof/wayproof/internal/record"
)

// AppendObservation adds an observation to a buffer, byte for byte as
// encoding/json writes it, at a fraction of the cost: the worker shares its CPU
// quota with the load that it makes.
func AppendObservation(b []byte, o *record.Observation) []byte {
	b = number(append(b, '{'), `"s":`, int64(o.Stage))
	b = number(b, `,"n":`, int64(o.Seq))
	b = some(b, `,"t":`, int64(o.Target))
	b = some(b, `,"c":`, int64(o.Client))
	b = number(b, `,"k":`, int64(o.Conn))
	if o.Reused {
		b = append(b, `,"r":true`...)
	}
	b = some(b, `,"x":`, int64(o.Replays))
	b = number(b, `,"i":`, int64(o.Intended))
	b = number(b, `,"b":`, int64(o.Sent))
	b = some(b, `,"f":`, int64(o.First))
	b = number(b, `,"d":`, int64(o.Done))
	b = some(b, `,"h":`, int64(o.Status))
	b = quote(append(b, `,"e":`...), string(o.Class))
	b = appendAnswer(b, o)
	return append(b, '}')
}

// appendAnswer adds what the response said.
func appendAnswer(b []byte, o *record.Observation) []byte {
	b = text(b, `,"vs":`, o.Service)
	b = text(b, `,"vv":`, o.Version)
	b = text(b, `,"vp":`, o.Pod)
	b = text(b, `,"vr":`, o.Peer)
	b = text(b, `,"sv":`, o.Server)
	b = text(b, `,"l":`, o.Location)
	b = header(b, o.Header)
	b = some(b, `,"z":`, int64(o.Bytes))
	return text(b, `,"bd":`, o.Body)
}

func number(b []byte, key string, n int64) []byte {
	return strconv.AppendInt(append(b, key...), n, 10)
}

// some is a number with omitempty.
func some(b []byte, key string, n int64) []byte {
	if n == 0 {
		return b
	}
	return number(b, key, n)
}

// text is a string with omitempty.
func text(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	return quote(append(b, key...), s)
}

func header(b []byte, h map[string]string) []byte {
	if len(h) == 0 {
		return b
	}
	sep := `,"hd":{`
	for _, name := range slices.Sorted(maps.Keys(h)) {
		b = quote(append(b, sep...), name)
		b = quote(append(b, ':'), h[name])
		sep = ","
	}
	return append(b, '}')
}

// quote writes a JSON string. What needs escaping goes to encoding/json, so that
// there is one opinion about how.
func quote(b []byte, s string) []byte {
	if !plain(s) {
		// A string always marshals: invalid UTF-8 becomes U+FFFD.
		escaped, _ := json.Marshal(s) //nolint:errchkjson // see above
		return append(b, escaped...)
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// plain says whether encoding/json would write the string as it is.
func plain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c >= utf8.RuneSelf, c == 0x7f, c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
}
