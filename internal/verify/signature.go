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
	signAgain = "ask the publisher; if that is you: pgext sign IMAGE"
	whoCounts = "name a key, or an identity and its issuer"
	beware    = "do not use the image before the publisher has explained it"
)

// verdict is what package sign found about a digest.
func (j *judge) verdict(digest string) sign.Verdict {
	i := slices.IndexFunc(j.in.Verdicts, func(v sign.Verdict) bool { return v.Subject.String() == digest })
	if i < 0 {
		return sign.Verdict{}
	}
	return j.in.Verdicts[i]
}

// signature says whether somebody who counts has signed a manifest.
func (j *judge) signature(digest string) {
	if !j.in.Trusted {
		j.skip("signature", "nobody said whose signatures count; %s", whoCounts)
		return
	}
	var signers, strangers []string
	for _, s := range j.verdict(digest).Signatures {
		signers, strangers = j.sort(signers, strangers, s)
	}
	if len(signers) > 0 {
		j.pass("signature", "signed by %s", text.List(signers))
		return
	}
	j.absent("signature", "signature", digest, strangers)
}

// sort adds a signer to those whom the policy accepts, or to the others, once.
func (j *judge) sort(signers, strangers []string, s sign.VerifiedSignature) (accepted, others []string) {
	if j.in.Policy.accepts(s.By) {
		return union(signers, []string{s.By.String()}), strangers
	}
	return signers, union(strangers, []string{fmt.Sprintf("one is by %s, whom the policy does not name", s.By)})
}

// absent says why there is nothing that counts about a digest: nobody made it,
// it is about something else, or it is by somebody else.
func (j *judge) absent(check, thing, digest string, strangers []string) {
	faults, hint := strangers, signAgain
	for _, r := range j.verdict(digest).Rejected {
		switch r.Reason {
		case sign.OtherSubject:
			faults = append(faults, fmt.Sprintf("what is attached was made for another image and attached to this one: %v", r))
			hint = beware
		default:
			faults = append(faults, r.Error())
			if h := r.Hint(); h != "" && hint == signAgain {
				hint = h
			}
		}
	}
	if len(faults) == 0 {
		j.fail(check, fmt.Sprintf("%s has no %s", digest, thing), hint)
		return
	}
	j.fail(check, fmt.Sprintf("%s has no accepted %s: %s", digest, thing, first(faults)), hint, faults...)
}

// attestors sorts those who signed a predicate of a type about a digest.
func (j *judge) attestors(digest, predicate string) (signers, strangers []string) {
	for _, a := range j.verdict(digest).Attestations {
		if a.PredicateType == predicate {
			signers, strangers = j.sort(signers, strangers, a.VerifiedSignature)
		}
	}
	return signers, strangers
}

// attested says whether a document is what somebody who counts has signed.
func (j *judge) attested(i Image, name, predicate string) {
	check := name + " attestation"
	if !j.in.Trusted {
		j.skip(check, "nobody said whose signatures count")
		return
	}
	signed := signedPredicates(j.verdict(i.Digest), j.in.Policy, predicate)
	signers, strangers := j.attestors(i.Digest, predicate)
	plain := slices.DeleteFunc(slices.Clone(i.Documents), func(d Document) bool { return d.Predicate != predicate })
	switch {
	case len(signed) == 0:
		j.absent(check, check, i.Digest, strangers)
		return
	case len(plain) == 0:
		j.pass(check, "signed by %s; no plain copy is attached", text.List(signers))
		return
	case slices.ContainsFunc(plain, func(d Document) bool { return saysOneOf(d, signed) }):
		j.pass(check, "says the same as the plain copy, signed by %s", text.List(signers))
		return
	}
	j.fail(check, fmt.Sprintf("what %s signed about %s is not what the plain copy says", text.List(signers), i.Digest), beware)
}

// same reports whether a signed predicate says what a plain document says. Of
// provenance the run that made it may differ.
func same(predicate string, signed, document []byte) bool {
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
	a, errA := value(signed)
	b, errB := value(document)
	return errA == nil && errB == nil && reflect.DeepEqual(a, b)
}

// value reads a document that all readers read alike, and keeps numbers as they
// are written.
func value(document []byte) (any, error) {
	if err := strictjson.Check(document, strictjson.Rules{}); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.UseNumber()
	var out any
	return out, dec.Decode(&out)
}
