package mesh

import "strings"

// Finding is one thing that a preflight looked at.
type Finding struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`
	// Needed says what cannot be done without it: Everything, or a part.
	Needed string `json:"needed"`
}

// Everything is the Needed of a check without which nothing can run.
const Everything = "everything"

// String is one line: check, detail, remedy.
func (f Finding) String() string {
	text := f.Check + ": " + f.Detail
	if !f.OK && f.Remedy != "" {
		text += "; remedy: " + f.Remedy
	}
	return strings.TrimSpace(text)
}
