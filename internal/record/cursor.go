package record

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"
)

// cursor reads the plain subset of JSON that the encoder writes, several times
// faster than encoding/json. Whatever it does not know (a foreign key, a null,
// white space, a number that is no integer) makes it give up, and the line is
// read again by encoding/json: the two never disagree on a line that the
// cursor accepts.
type cursor struct {
	text  []byte
	at    int
	names names
}

func (c *cursor) take(b byte) bool {
	if c.at < len(c.text) && c.text[c.at] == b {
		c.at++
		return true
	}
	return false
}

// object reads {"key":value,...}; field reads the value of a key.
func (c *cursor) object(field func(key []byte) bool) bool {
	if !c.take('{') {
		return false
	}
	if c.take('}') {
		return true
	}
	for {
		key, plain, ok := c.raw()
		if !ok || !plain || !c.take(':') || !field(key) {
			return false
		}
		if c.take('}') {
			return true
		}
		if !c.take(',') {
			return false
		}
	}
}

// raw reads a string and gives what is between its quotes; plain is false if
// that needs decoding.
func (c *cursor) raw() (text []byte, plain, ok bool) {
	if !c.take('"') {
		return nil, false, false
	}
	start, plain := c.at, true
	for c.at < len(c.text) {
		switch b := c.text[c.at]; {
		case b == '"':
			c.at++
			return c.text[start : c.at-1], plain, true
		case b == '\\':
			plain = false
			c.at++
		case b < ' ':
			return nil, false, false
		case b >= utf8.RuneSelf:
			plain = false
		}
		c.at++
	}
	return nil, false, false
}

func (c *cursor) string(into *string) bool {
	start := c.at
	text, plain, ok := c.raw()
	if !ok {
		return false
	}
	if plain {
		*into = c.names.of(text)
		return true
	}
	return json.Unmarshal(c.text[start:c.at], into) == nil
}

// integer reads what fits into 18 digits.
func (c *cursor) integer() (value int64, ok bool) {
	negative := c.take('-')
	start := c.at
	for c.at < len(c.text) && c.text[c.at]-'0' <= 9 {
		value = value*10 + int64(c.text[c.at]-'0')
		c.at++
	}
	digits := c.at - start
	if digits == 0 || digits > 18 || digits > 1 && c.text[start] == '0' {
		return 0, false
	}
	if negative {
		value = -value
	}
	return value, c.at < len(c.text) && (c.text[c.at] == ',' || c.text[c.at] == '}')
}

func (c *cursor) int(into *int) bool {
	value, ok := c.integer()
	*into = int(value)
	return ok
}

func (c *cursor) duration(into *time.Duration) bool {
	value, ok := c.integer()
	*into = time.Duration(value)
	return ok
}

func (c *cursor) bool(into *bool) bool {
	for _, word := range [...]string{"true", "false"} {
		if bytes.HasPrefix(c.text[c.at:], []byte(word)) {
			c.at += len(word)
			*into = word == "true"
			return true
		}
	}
	return false
}

func (c *cursor) time(into *time.Time) bool {
	text, plain, ok := c.raw()
	return ok && plain && into.UnmarshalText(text) == nil
}

func (c *cursor) header(into *map[string]string) bool {
	found := *into // a key that comes twice adds to the first, as in encoding/json
	if found == nil {
		found = map[string]string{}
		*into = found
	}
	return c.object(func(key []byte) bool {
		var value string
		ok := c.string(&value)
		found[c.names.of(key)] = value
		return ok
	})
}

// names shares the few distinct strings of a run (versions, pods, peers), so
// that a million observations do not hold a million copies. It stops growing
// at a bound: bodies and ids are all different.
type names map[string]string

const (
	namesKept    = 4096
	nameLongest  = 128
	nameShortest = 1
)

func (n names) of(text []byte) string {
	if len(text) < nameShortest || len(text) > nameLongest {
		return string(text)
	}
	if known, ok := n[string(text)]; ok {
		return known
	}
	fresh := string(text)
	if len(n) < namesKept {
		n[fresh] = fresh
	}
	return fresh
}
