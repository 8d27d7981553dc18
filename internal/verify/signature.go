package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/pgext/pgext/internal/provenance"
	"github.com/pgext/pgext/internal/strictjson"
	"github.com/pgext/pgext/internal/text"
	"github.com/pgext/pgext/sign"
)

// The hints about signatures.
const (
	signAgain  = "ask the publisher to sign the image; for your own image: pgext sign IMAGE"
	noTrust    = "no trusted key or identity was given"
	suspicious = "do not use the image before the publisher has explained it"
)

// verdict returns the verdict about a digest; an empty one if there is none.
func (v *verifier) verdict(digest string) sign.Verdict {
	i := slices.IndexFunc(v.in.Verdicts, func(v sign.Verdict) bool { return v.Subject.String() == digest })
	if i < 0 {
		return sign.Verdict{}
	}
	return v.in.Verdicts[i]
}

// checkSignature checks that an accepted signer has signed a manifest or index.
func (v *verifier) checkSignature(digest string) {
	if !v.in.Trusted {
		v.skip("signature", noTrust)
		return
	}
	accepted, refused := v.bySigner(v.verdict(digest).Signatures)
	if len(accepted) > 0 {
		v.pass("signature", "signed by %s", text.List(accepted))
		return
	}
	v.failUnsigned("signature", "signature", digest, refused)
}

// bySigner returns the signers of valid signatures, each once: those that the
// policy accepts, and a fault for each of the others.
func (v *verifier) bySigner(signatures []sign.VerifiedSignature) (accepted, refused []string) {
	for _, s := range signatures {
		if v.in.Policy.accepts(s.By) {
			accepted = union(accepted, []string{s.By.String()})
		} else {
			refused = union(refused, []string{fmt.Sprintf("signed by %s, which the policy does not accept", s.By)})
		}
	}
	return accepted, refused
}

// failUnsigned fails a check because a digest has no accepted signature or
// attestation. faults are about valid signatures of refused signers.
func (v *verifier) failUnsigned(check, noun, digest string, faults []string) {
	hint := signAgain
	for _, r := range v.verdict(digest).Rejected {
		switch r.Reason {
		case sign.OtherSubject:
			faults = append(faults, fmt.Sprintf("made for another image: %v", r))
			hint = suspicious
		default:
			faults = append(faults, r.Error())
			if h := r.Hint(); h != "" && hint == signAgain {
				hint = h
			}
		}
	}
	if len(faults) == 0 {
		v.fail(check, fmt.Sprintf("%s has no %s", digest, noun), hint)
		return
	}
	v.fail(check, fmt.Sprintf("%s has no accepted %s: %s", digest, noun, summary(faults)), hint, faults...)
}

// checkAttestation checks that an accepted signer has signed the attached
// document of a predicate type.
func (v *verifier) checkAttestation(i Image, name, predicate string) {
	check := name + " attestation"
	if !v.in.Trusted {
		v.skip(check, noTrust)
		return
	}
	var signatures []sign.VerifiedSignature
	for _, a := range v.verdict(i.Digest).Attestations {
		if a.PredicateType == predicate {
			signatures = append(signatures, a.VerifiedSignature)
		}
	}
	accepted, refused := v.bySigner(signatures)
	signed := signedPredicates(v.verdict(i.Digest), v.in.Policy, predicate)
	attached := slices.DeleteFunc(slices.Clone(i.Documents), func(d Document) bool { return d.Predicate != predicate })
	switch {
	case len(signed) == 0:
		v.failUnsigned(check, check, i.Digest, refused)
	case len(attached) == 0:
		v.pass(check, "signed by %s; no unsigned document is attached", text.List(accepted))
	case slices.ContainsFunc(attached, func(d Document) bool { return matchesAny(d, signed) }):
		v.pass(check, "matches the attached document, signed by %s", text.List(accepted))
	default:
		v.fail(check, fmt.Sprintf("the predicate that %s signed for %s differs from the attached document", text.List(accepted), i.Digest), suspicious)
	}
}

// samePredicate reports whether a signed predicate and an unsigned document are
// equal as JSON. For provenance, the invocation may differ.
func samePredicate(predicate string, signed, document []byte) bool {
	if predicate == Provenance {
		s, err := provenance.Parse(document)
		if err != nil {
			return false
		}
		plain, err := s.Predicate.Encode()
		return err == nil && provenance.Same(plain, signed)
	}
	if bytes.Equal(signed, document) {
		return true
	}
	a, errA := decode(signed)
	b, errB := decode(document)
	return errA == nil && errB == nil && reflect.DeepEqual(a, b)
}

// decode reads JSON without ambiguous keys, and keeps numbers as written.
func decode(document []byte) (any, error) {
	if err := strictjson.Check(document, strictjson.Rules{}); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.UseNumber()
	var out any
	return out, dec.Decode(&out)
}
