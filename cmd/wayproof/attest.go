package main

import (
	"crypto"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/attest"
)

func attestCommand() *cobra.Command {
	key := ""
	cmd := &cobra.Command{
		Use:   "attest RUN",
		Short: "State what a run's folder holds and how it ended, signed if a key is given",
		Long: `Writes attestation.dsse.json into a run's folder: an in-toto statement (predicate
test-result) over the digests of every file in it, in a DSSE envelope.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			signer, err := signerOf(key)
			if err != nil {
				return err
			}
			_, result, err := judgeAgain(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if !result.Agrees() {
				return &exitError{code: exitViolated, err: fmt.Errorf("not attested: recomputed verdicts differ from the recorded ones in %d places; wayproof replay shows them", len(result.Differences))}
			}
			statement, err := attest.Of(args[0], result.Verdicts)
			if err != nil {
				return err
			}
			return writeEnvelope(args[0], statement, signer)
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "file with a private key in PEM, Ed25519 or ECDSA")
	return cmd
}

func signerOf(file string) (crypto.Signer, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // no key is a choice
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read --key: %w", err)
	}
	return attest.PrivateKey(text)
}

func writeEnvelope(dir string, statement attest.Statement, signer crypto.Signer) error {
	envelope, err := attest.Seal(statement, signer)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(envelope, "", "  ")
	if err != nil {
		return fmt.Errorf("encode attestation: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, attest.File), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write attestation: %w", err)
	}
	return nil
}

func verifyCommand() *cobra.Command {
	key := ""
	cmd := &cobra.Command{
		Use:   "verify RUN",
		Short: "Check a run's folder against its attestation",
		Long: `Checks the signature of a run's attestation, if a key is given, and that every file
is as attested, none is missing and none was added.

Exit codes: 0 as attested, 1 not as attested or not signed by the key, 3 no
attestation can be read.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return verifyRun(cmd.OutOrStdout(), args[0], key) },
	}
	cmd.Flags().StringVar(&key, "key", "", "file with the public key in PEM (a private one will do)")
	return cmd
}

func verifyRun(out io.Writer, dir, keyFile string) error {
	text, err := os.ReadFile(filepath.Join(dir, attest.File))
	if err != nil {
		return fmt.Errorf("read attestation: %w", err)
	}
	var envelope attest.Envelope
	if err := json.Unmarshal(text, &envelope); err != nil {
		return fmt.Errorf("decode attestation: %w", err)
	}
	var public crypto.PublicKey
	if keyFile != "" {
		pem, err := os.ReadFile(keyFile)
		if err != nil {
			return fmt.Errorf("read --key: %w", err)
		}
		if public, err = attest.PublicKey(pem); err != nil {
			return err
		}
	}
	statement, err := envelope.Open(public)
	if err != nil {
		return &exitError{code: exitViolated, err: err}
	}
	problems, err := statement.Compare(dir)
	if err != nil {
		return err
	}
	for _, problem := range problems {
		fmt.Fprintln(out, problem)
	}
	if len(problems) > 0 {
		return &exitError{code: exitViolated, err: fmt.Errorf("%d files are not as attested", len(problems))}
	}
	signed := "signature checked"
	if public == nil {
		signed = "no key given: signature not checked"
	}
	_, err = fmt.Fprintf(out, "%d files are as attested, result %s; %s\n", len(statement.Subject), shown(statement.Predicate.Result), signed)
	return err
}
