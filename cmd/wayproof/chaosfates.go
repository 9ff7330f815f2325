package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/wayproof/wayproof/chaos"
)

// unreached is a cell whose harness did not die where it was to: nothing was shown
// of what is put back after that.
type unreached struct {
	step chaos.State
	why  error
}

func (u *unreached) Error() string {
	return fmt.Sprintf("the harness did not reach the step %q: %v", u.step, u.why)
}

func (u *unreached) Unwrap() error { return u.why }

// matrixFates is what became of cells.
type matrixFates struct {
	held, unsupported int
	unbegun           int // when it was interrupted
	broken, unplayed  []string
}

func (f *matrixFates) add(one cell, err error) {
	line := fmt.Sprintf("%s: %v", one, err)
	if _, ok := errors.AsType[*chaos.Unsupported](err); ok {
		f.unsupported++
		return
	}
	if _, ok := errors.AsType[*unreached](err); ok {
		f.unplayed = append(f.unplayed, line)
		return
	}
	if err != nil {
		f.broken = append(f.broken, line)
		return
	}
	f.held++
}

// verdict is the matrix's, with what went wrong when its ground was left: a cell
// that was not whole comes first, whatever else there is to say. Where no cell
// could be had, none has held.
func (f *matrixFates) verdict(left error) error {
	var lines []string
	code := exitHeld
	switch {
	case len(f.broken) > 0:
		code = exitViolated
		lines = append(lines, fmt.Sprintf("%d cells were not whole within %v:", len(f.broken), wholeWithin))
		lines = append(lines, f.broken...)
	case len(f.unplayed) > 0 || f.unbegun > 0 || left != nil:
		code = exitCouldNotRun
	case f.held == 0:
		code = exitInconclusive
		lines = append(lines, fmt.Sprintf("no cell was played: %d are unsupported here", f.unsupported))
	}
	if len(f.unplayed) > 0 {
		lines = append(lines, fmt.Sprintf("%d cells could not be played:", len(f.unplayed)))
		lines = append(lines, f.unplayed...)
	}
	if f.unbegun > 0 {
		lines = append(lines, fmt.Sprintf("interrupted before %d more cells were begun", f.unbegun))
	}
	if left != nil {
		lines = append(lines, fmt.Sprintf("leave the ground: %v", left))
	}
	if code == exitHeld {
		return nil
	}
	return &exitError{code: code, err: errors.New(strings.Join(lines, "\n"))}
}
