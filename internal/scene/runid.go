package scene

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// NewRunID names a run: short, sorted by time, and fit for a label.
func NewRunID() string {
	var drawn [2]byte
	_, _ = rand.Read(drawn[:]) // documented never to fail
	return "r" + time.Now().UTC().Format("0102-150405") + "-" + hex.EncodeToString(drawn[:])
}
