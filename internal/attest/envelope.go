package attest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
)

// Envelope is a DSSE envelope. Without a key it carries no signature.
type Envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     []byte      `json:"payload"` // base64 in JSON
	Signatures  []Signature `json:"signatures"`
}

// Signature is by the key whose public half has this SHA-256.
type Signature struct {
	KeyID string `json:"keyid"`
	Sig   []byte `json:"sig"`
}

// ErrSignature says that no signature of an envelope is by the given key.
var ErrSignature = errors.New("no signature of the attestation is by this key")

// preAuth is what is signed: DSSE's pre-authentication encoding, which binds
// the type of the payload to its bytes.
func preAuth(kind string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(kind), kind, len(payload), payload)
}

// Seal wraps a statement; a nil key leaves it unsigned.
func Seal(s Statement, key crypto.Signer) (Envelope, error) {
	payload, err := json.Marshal(s)
	if err != nil {
		return Envelope{}, fmt.Errorf("encode statement: %w", err)
	}
	e := Envelope{PayloadType: payloadType, Payload: payload, Signatures: []Signature{}}
	if key == nil {
		return e, nil
	}
	id, err := keyID(key.Public())
	if err != nil {
		return Envelope{}, err
	}
	message, hash := preAuth(e.PayloadType, payload), crypto.Hash(0)
	if _, elliptic := key.Public().(*ecdsa.PublicKey); elliptic {
		sum := sha256.Sum256(message)
		message, hash = sum[:], crypto.SHA256
	}
	sig, err := key.Sign(rand.Reader, message, hash)
	if err != nil {
		return Envelope{}, fmt.Errorf("sign statement: %w", err)
	}
	e.Signatures = append(e.Signatures, Signature{KeyID: id, Sig: sig})
	return e, nil
}

// Open gives the statement of an envelope that the key signed. A nil key
// checks no signature.
func (e Envelope) Open(key crypto.PublicKey) (Statement, error) {
	if e.PayloadType != payloadType {
		return Statement{}, fmt.Errorf("open attestation: payload of type %.80q", e.PayloadType)
	}
	if key != nil && !e.signedBy(key) {
		return Statement{}, ErrSignature
	}
	return parseStatement(e.Payload)
}

// signedBy tries every signature; the id is a hint that anyone can write.
func (e Envelope) signedBy(key crypto.PublicKey) bool {
	message := preAuth(e.PayloadType, e.Payload)
	for _, s := range e.Signatures {
		switch public := key.(type) {
		case ed25519.PublicKey:
			if ed25519.Verify(public, message, s.Sig) {
				return true
			}
		case *ecdsa.PublicKey:
			if sum := sha256.Sum256(message); ecdsa.VerifyASN1(public, sum[:], s.Sig) {
				return true
			}
		}
	}
	return false
}

func keyID(public crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", fmt.Errorf("encode public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:]), nil
}

// PrivateKey reads an Ed25519 or ECDSA key from PEM (PKCS 8 or SEC 1).
func PrivateKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("read key: no PEM block")
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	switch key := parsed.(type) {
	case ed25519.PrivateKey:
		return key, nil
	case *ecdsa.PrivateKey:
		return key, nil
	}
	return nil, fmt.Errorf("read key: %T is neither Ed25519 nor ECDSA", parsed)
}

// PublicKey reads the public half from PEM (PKIX), or takes it from a private key.
func PublicKey(text []byte) (crypto.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("read public key: no PEM block")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		key, private := PrivateKey(text)
		if private != nil {
			return nil, fmt.Errorf("read public key: %w", err)
		}
		return key.Public(), nil
	}
	switch parsed.(type) {
	case ed25519.PublicKey, *ecdsa.PublicKey:
		return parsed, nil
	}
	return nil, fmt.Errorf("read public key: %T is neither Ed25519 nor ECDSA", parsed)
}
