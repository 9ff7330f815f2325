package flow

import "errors"

// flagged carries the response flag that the metrics show for a failure.
type flagged struct {
	flag string
	err  error
}

func (f *flagged) Error() string { return f.err.Error() }
func (f *flagged) Unwrap() error { return f.err }

// Denied marks a refusal by authorisation.
func Denied(err error) error {
	return &flagged{flag: "DENY", err: err}
}

// Unreachable marks a destination that could not be connected to.
func Unreachable(err error) error {
	return &flagged{flag: "CONNECT", err: err}
}

// responseFlags is "-" for whatever has no flag of its own.
func responseFlags(err error) string {
	if f, ok := errors.AsType[*flagged](err); ok {
		return f.flag
	}
	return "-"
}
