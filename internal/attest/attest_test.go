package attest_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wayproof/wayproof/internal/attest"
	"github.com/wayproof/wayproof/internal/record"
)

func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "evidence"), 0o755))
	for _, name := range []string{record.PlanFile, record.RunFile, "evidence/log"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
	}
	return dir
}

func stated(t *testing.T, dir string) attest.Statement {
	t.Helper()
	s, err := attest.Of(dir, []record.Verdict{{ID: "a", Verdict: record.Held}, {ID: "b", Verdict: record.Inconclusive}})
	require.NoError(t, err)
	return s
}

func pkcs8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func keys(t *testing.T) map[string][]byte {
	t.Helper()
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return map[string][]byte{"ed25519": pkcs8(t, edwards), "ecdsa": pkcs8(t, curve)}
}

func TestSignaturesOfBothKindsOfKey(t *testing.T) {
	all := keys(t)
	for name, text := range all {
		key, err := attest.PrivateKey(text)
		require.NoError(t, err)
		sealed, err := attest.Seal(stated(t, folder(t)), key)
		require.NoError(t, err)
		wire, err := json.Marshal(sealed)
		require.NoError(t, err)
		var read attest.Envelope
		require.NoError(t, json.Unmarshal(wire, &read))
		for other, otherText := range all {
			public, err := attest.PublicKey(otherText)
			require.NoError(t, err)
			_, err = read.Open(public)
			if other == name {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, attest.ErrSignature)
			}
		}
		read.Payload[len(read.Payload)/2] ^= 1
		_, err = read.Open(key.Public())
		require.ErrorIs(t, err, attest.ErrSignature, "a changed payload")
	}
}

func TestUnsignedIsNotSigned(t *testing.T) {
	sealed, err := attest.Seal(stated(t, folder(t)), nil)
	require.NoError(t, err)
	key, err := attest.PrivateKey(keys(t)["ed25519"])
	require.NoError(t, err)
	_, err = sealed.Open(key.Public())
	require.ErrorIs(t, err, attest.ErrSignature)
	s, err := sealed.Open(nil)
	require.NoError(t, err)
	assert.Equal(t, "WARNED", s.Predicate.Result)
	assert.Equal(t, record.PlanFile, s.Predicate.Configuration[0].Name)
	sealed.PayloadType = "text/plain"
	_, err = sealed.Open(nil)
	require.Error(t, err)
}

func TestChangesOfTheFolderAreNamed(t *testing.T) {
	dir := folder(t)
	s := stated(t, dir)
	problems, err := s.Compare(dir)
	require.NoError(t, err)
	assert.Empty(t, problems)
	require.NoError(t, os.WriteFile(filepath.Join(dir, record.RunFile), []byte("edited"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "evidence", "new"), nil, 0o600))
	require.NoError(t, os.Remove(filepath.Join(dir, "evidence", "log")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, attest.File), nil, 0o600))
	problems, err = s.Compare(dir)
	require.NoError(t, err)
	require.Len(t, problems, 3, "the envelope does not attest itself")
	assert.Contains(t, problems[0], `"evidence/log" is attested and missing`)
	assert.Contains(t, problems[1], `"run.json" was changed`)
	assert.Contains(t, problems[2], `"evidence/new" was added`)
}

func TestAFolderMayBeReachedThroughALink(t *testing.T) {
	dir := folder(t)
	latest := filepath.Join(t.TempDir(), "latest")
	require.NoError(t, os.Symlink(dir, latest))
	s := stated(t, latest)
	assert.Equal(t, stated(t, dir), s)
	problems, err := s.Compare(latest)
	require.NoError(t, err)
	assert.Empty(t, problems)
	_, err = attest.Of(filepath.Join(dir, "none"), nil)
	require.Error(t, err)
}

func TestFoldersThatAreRefused(t *testing.T) {
	_, err := attest.Of(t.TempDir(), nil)
	require.ErrorContains(t, err, "holds no file")
	dir := folder(t)
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "evidence", "link")))
	_, err = attest.Of(dir, nil)
	require.ErrorContains(t, err, "no regular file")
}

func TestKeysThatAreRefused(t *testing.T) {
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for _, text := range [][]byte{nil, []byte("x"), pkcs8(t, big), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})} {
		_, err := attest.PrivateKey(text)
		require.Error(t, err)
		_, err = attest.PublicKey(text)
		require.Error(t, err)
	}
}
