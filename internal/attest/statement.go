// Package attest states what a run's folder holds and what its verdict was, in
// the form of in-toto (Statement v1, predicate test-result v0.1), and wraps it
// in a DSSE envelope that a key signs.
//
// A signature says who vouches for the artefacts, not that they are true:
// whether verdicts follow from the observations is what package replay finds.
package attest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wayproof/wayproof/internal/record"
)

// File is where a run's folder keeps its envelope.
const File = "attestation.dsse.json"

const (
	statementType = "https://in-toto.io/Statement/v1"
	predicateType = "https://in-toto.io/attestation/test-result/v0.1"
	payloadType   = "application/vnd.in-toto+json"
)

// Statement is an in-toto statement about the files of a run.
type Statement struct {
	Type          string     `json:"_type"`
	Subject       []Subject  `json:"subject"` // sorted by name
	PredicateType string     `json:"predicateType"`
	Predicate     TestResult `json:"predicate"`
}

// Subject is one file, relative to the run's folder.
type Subject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

// TestResult is the predicate: the names of the promises by how they ended.
// Result is PASSED, WARNED (a listed deviation, or inconclusive) or FAILED.
type TestResult struct {
	Result        string    `json:"result"`
	Configuration []Subject `json:"configuration"`
	PassedTests   []string  `json:"passedTests,omitempty"`
	WarnedTests   []string  `json:"warnedTests,omitempty"`
	FailedTests   []string  `json:"failedTests,omitempty"`
}

// Of states what a run's folder holds now.
func Of(dir string, verdicts []record.Verdict) (Statement, error) {
	subjects, err := digests(dir)
	if err != nil {
		return Statement{}, fmt.Errorf("attest run %s: %w", dir, err)
	}
	s := Statement{Type: statementType, Subject: subjects, PredicateType: predicateType, Predicate: result(verdicts)}
	for _, subject := range subjects {
		if subject.Name == record.PlanFile {
			s.Predicate.Configuration = []Subject{subject}
		}
	}
	return s, nil
}

func result(verdicts []record.Verdict) TestResult {
	r := TestResult{Result: "PASSED", Configuration: []Subject{}}
	for _, v := range verdicts {
		switch v.Verdict {
		case record.Held:
			r.PassedTests = append(r.PassedTests, v.ID)
		case record.Unsupported, record.ViolatedKnown, record.Inconclusive:
			r.WarnedTests = append(r.WarnedTests, v.ID)
		default:
			r.FailedTests = append(r.FailedTests, v.ID)
		}
	}
	switch {
	case len(r.FailedTests) > 0:
		r.Result = "FAILED"
	case len(r.WarnedTests) > 0 || len(r.PassedTests) == 0:
		r.Result = "WARNED"
	}
	return r
}

// digests lists every regular file below a folder but the envelope itself.
// Anything else (a link could lead out of the folder) is refused.
// The folder itself may be reached through one: artifacts/latest is.
func digests(dir string) ([]Subject, error) {
	var subjects []Subject
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == File {
			return err
		}
		if !entry.Type().IsRegular() {
			return fmt.Errorf("%s is no regular file", name)
		}
		sum, err := digest(path)
		subjects = append(subjects, Subject{Name: filepath.ToSlash(name), Digest: map[string]string{"sha256": sum}})
		return err
	})
	slices.SortFunc(subjects, func(a, b Subject) int { return strings.Compare(a.Name, b.Name) })
	if err == nil && len(subjects) == 0 {
		err = errors.New("the folder holds no file")
	}
	return subjects, err
}

func digest(path string) (sum string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Compare says in sentences where a folder is not as the statement has it.
func (s Statement) Compare(dir string) ([]string, error) {
	there, err := digests(dir)
	if err != nil {
		return nil, fmt.Errorf("verify run %s: %w", dir, err)
	}
	now := map[string]string{}
	for _, subject := range there {
		now[subject.Name] = subject.Digest["sha256"]
	}
	var problems []string
	for _, subject := range s.Subject {
		sum, found := now[subject.Name]
		delete(now, subject.Name)
		switch {
		case !found:
			problems = append(problems, fmt.Sprintf("%q is attested and missing", subject.Name))
		case subject.Digest["sha256"] != sum:
			problems = append(problems, fmt.Sprintf("%q was changed: sha256 %s, attested %.64q", subject.Name, sum, subject.Digest["sha256"]))
		}
	}
	for _, subject := range there {
		if _, extra := now[subject.Name]; extra {
			problems = append(problems, fmt.Sprintf("%q was added after the attestation", subject.Name))
		}
	}
	return problems, nil
}

// parseStatement refuses what is no statement about a test result.
func parseStatement(payload []byte) (Statement, error) {
	var s Statement
	if err := json.Unmarshal(payload, &s); err != nil {
		return Statement{}, fmt.Errorf("decode statement: %w", err)
	}
	if s.Type != statementType || s.PredicateType != predicateType || len(s.Subject) == 0 {
		return Statement{}, fmt.Errorf("decode statement: type %.80q with predicate %.80q about %d files is not a test result", s.Type, s.PredicateType, len(s.Subject))
	}
	return s, nil
}
