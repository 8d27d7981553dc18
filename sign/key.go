package sign

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/sigstore/cosign/v2/pkg/cosign"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/options"
)

// maxKeyFile is the maximum size of a key file in bytes.
const maxKeyFile = 1 << 20

const generateHint = "run cosign generate-key-pair for a new key, or cosign import-key-pair --key FILE for an existing one"

// keyFile is an encrypted private key in the format of cosign generate-key-pair.
// Decryption needs much time and memory (scrypt), so it happens once, before the
// first signature.
type keyFile struct {
	name string
	text []byte
	pass func(context.Context) ([]byte, error)
}

// openKey reads the encrypted key o.Key: a file, or env://NAME.
func openKey(o Options) (*keyFile, error) {
	k := &keyFile{name: o.Key, pass: o.Password}
	if name, ok := strings.CutPrefix(o.Key, "env://"); ok {
		k.text = []byte(o.Getenv(name))
		if len(k.text) == 0 {
			return nil, keyError(o.Key, "set the variable to the content of the key file", errors.New("the variable is empty"))
		}
		return k, k.check()
	}
	if strings.Contains(o.Key, "-----BEGIN") {
		return nil, keyError(redacted, "pass a file name, or env://NAME for a variable with the content", errors.New("the value is the content of a key, not a file name"))
	}
	info, err := os.Stat(o.Key)
	if err != nil {
		return nil, keyError(o.Key, generateHint, cause(err))
	}
	if info.IsDir() || info.Size() > maxKeyFile {
		return nil, keyError(o.Key, generateHint, errors.New("not a private key"))
	}
	if k.text, err = os.ReadFile(o.Key); err != nil {
		return nil, keyError(o.Key, "", cause(err))
	}
	return k, k.check()
}

// cause returns the error of a *os.PathError without its path.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// check checks the PEM type, so that a wrong file is an error before anything is
// built.
func (k *keyFile) check() error {
	block, _ := pem.Decode(k.text)
	switch {
	case block == nil:
		return keyError(k.name, generateHint, errors.New("not a private key in PEM form"))
	case block.Type == cosign.CosignPrivateKeyPemType, block.Type == cosign.SigstorePrivateKeyPemType:
		return nil
	case block.Type == "PUBLIC KEY", block.Type == "CERTIFICATE":
		return keyError(k.name, "pass the private key, usually cosign.key", fmt.Errorf("a %s cannot sign", strings.ToLower(block.Type)))
	case slices.Contains([]string{cosign.PrivateKeyPemType, cosign.ECPrivateKeyPemType, cosign.RSAPrivateKeyPemType, "OPENSSH PRIVATE KEY"}, block.Type):
		return keyError(k.name, "run cosign import-key-pair --key "+k.name+" to encrypt it", errors.New("the key is not encrypted"))
	case block.Type == "ENCRYPTED PRIVATE KEY":
		return keyError(k.name, generateHint, errors.New("unsupported encryption (cosign cannot read it)"))
	}
	return keyError(k.name, generateHint, fmt.Errorf("unsupported PEM type %q", block.Type))
}

// open decrypts the key.
func (k *keyFile) open(ctx context.Context) (*material, error) {
	password, err := k.pass(ctx)
	if err != nil {
		return nil, keyError(k.name, "", fmt.Errorf("reading the password: %w", err))
	}
	defer clear(password)
	signer, err := cosign.LoadPrivateKey(k.text, password, nil)
	switch {
	case err != nil && strings.Contains(err.Error(), "decryption failed"):
		return nil, keyError(k.name, "set COSIGN_PASSWORD to the password of the key", errors.New("wrong password"))
	case err != nil:
		return nil, keyError(k.name, generateHint, err)
	}
	public, err := signer.PublicKey()
	if err != nil {
		return nil, keyError(k.name, "", err)
	}
	m, err := newMaterial(public, func(_ context.Context, message []byte) ([]byte, error) {
		return signer.SignMessage(bytes.NewReader(message))
	})
	if err != nil {
		return nil, keyError(k.name, generateHint, err)
	}
	return m, nil
}

// material is a key that is ready to sign. It implements sigsign.Keypair.
type material struct {
	sign     func(ctx context.Context, message []byte) ([]byte, error)
	public   crypto.PublicKey
	verifier signature.Verifier
	// pem is the public key in PEM form, hint its identifier in bundles.
	pem, hint string
	// certs is set for an identity.
	certs *certChain
}

func newMaterial(public crypto.PublicKey, sign func(context.Context, []byte) ([]byte, error)) (*material, error) {
	if err := supported(public); err != nil {
		return nil, err
	}
	verifier, err := verifierOf(public)
	if err != nil {
		return nil, err
	}
	text, err := cryptoutils.MarshalPublicKeyToPEM(public)
	if err != nil {
		return nil, err
	}
	sum, err := keySum(public)
	if err != nil {
		return nil, err
	}
	return &material{sign: sign, public: public, verifier: verifier, pem: string(text), hint: base64.StdEncoding.EncodeToString(sum)}, nil
}

// GetHashAlgorithm implements sigsign.Keypair.
func (*material) GetHashAlgorithm() protocommon.HashAlgorithm {
	return protocommon.HashAlgorithm_SHA2_256
}

// GetSigningAlgorithm implements sigsign.Keypair.
func (m *material) GetSigningAlgorithm() protocommon.PublicKeyDetails {
	details, err := signature.GetDefaultAlgorithmDetails(m.public)
	if err != nil {
		return protocommon.PublicKeyDetails_PUBLIC_KEY_DETAILS_UNSPECIFIED
	}
	return details.GetSignatureAlgorithm()
}

// GetHint implements sigsign.Keypair.
func (m *material) GetHint() []byte { return []byte(m.hint) }

// GetKeyAlgorithm implements sigsign.Keypair. It is used for Fulcio requests only,
// whose keys are ECDSA.
func (*material) GetKeyAlgorithm() string { return "ECDSA" }

// GetPublicKey implements sigsign.Keypair.
func (m *material) GetPublicKey() crypto.PublicKey { return m.public }

// GetPublicKeyPem implements sigsign.Keypair.
func (m *material) GetPublicKeyPem() (string, error) { return m.pem, nil }

// SignData implements sigsign.Keypair.
func (m *material) SignData(ctx context.Context, data []byte) (sig, digest []byte, err error) {
	sum := sha256.Sum256(data)
	sig, err = m.sign(ctx, data)
	return sig, sum[:], err
}

// verifierOf returns the verifier that cosign uses for a key: with SHA-256, and for
// Ed25519 the prehash variant.
func verifierOf(public crypto.PublicKey) (signature.Verifier, error) {
	return signature.LoadDefaultVerifier(public, options.WithED25519ph())
}

// supported returns an error for keys whose signatures cosign cannot verify in all
// formats: a logged legacy signature must use SHA-256.
func supported(public crypto.PublicKey) error {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return fmt.Errorf("unsupported key: ECDSA %s, want P-256", k.Curve.Params().Name)
		}
		return nil
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); !slices.Contains([]int{2048, 3072, 4096}, bits) {
			return fmt.Errorf("unsupported key: RSA with %d bits, want 2048, 3072 or 4096", bits)
		}
		return nil
	case ed25519.PublicKey:
		return errors.New("unsupported key: Ed25519, want ECDSA P-256 or RSA")
	}
	return fmt.Errorf("unsupported key type %T", public)
}
