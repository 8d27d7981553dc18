package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/pgext/pgext/internal/provenance"
)

// The hints about signatures.
const (
	signAgain = "ask the publisher; if that is you: pgext sign IMAGE"
	whoCounts = "name a key, or an identity and its issuer"
	beware    = "do not use the image before the publisher has explained it"
)

// sortClaims turns the claims of those whom the policy does not name into
// rejections.
func (j *judge) sortClaims() {
	j.rejected = slices.Clone(j.in.Rejected)
	for _, c := range j.in.Claims {
		if j.in.Policy.accepts(c.By) {
			j.claims = append(j.claims, c)
			continue
		}
		j.rejected = append(j.rejected, Rejection{On: c.On, Why: fmt.Sprintf("%s is by %s, whom the policy does not name", what(c), c.By)})
	}
}

func what(c Claim) string {
	if c.PredicateType == Signature {
		return "a signature"
	}
	return "an attestation"
}

// signature says whether somebody who counts has signed a manifest.
func (j *judge) signature(digest string) {
	if !j.in.Trusted {
		j.skip("signature", "nobody said whose signatures count; %s", whoCounts)
		return
	}
	signers := j.signers(digest, Signature)
	if len(signers) > 0 {
		j.pass("signature", "signed by %s", list(signers))
		return
	}
	j.absent("signature", "signature", digest, Signature)
}

// signers are those who made a claim of that type about a digest, each once.
func (j *judge) signers(digest, predicate string) []string {
	var out []string
	for _, c := range j.about(digest, predicate) {
		if s := c.By.String(); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// about are the claims of a type about a digest, wherever they are attached.
func (j *judge) about(digest, predicate string) []Claim {
	var out []Claim
	for _, c := range j.claims {
		if c.PredicateType == predicate && slices.Contains(c.Subjects, digest) {
			out = append(out, c)
		}
	}
	return out
}

// absent says why there is no claim of a type about a digest: nobody made one,
// it is about something else, or it does not count.
func (j *judge) absent(name, thing, digest, predicate string) {
	var faults []string
	for _, c := range j.claims {
		if c.On == digest && c.PredicateType == predicate {
			faults = append(faults, fmt.Sprintf("the one that is attached is about %s: it was made for another image and attached to this one", list(c.Subjects)))
		}
	}
	if len(faults) > 0 {
		j.fail(name, fmt.Sprintf("no %s is about %s; %s", thing, digest, first(faults)), beware, faults...)
		return
	}
	for _, r := range j.rejected {
		if r.On == digest {
			faults = append(faults, r.Why)
		}
	}
	if len(faults) > 0 {
		j.fail(name, fmt.Sprintf("no %s of %s counts: %s", thing, digest, first(faults)), signAgain, faults...)
		return
	}
	j.fail(name, fmt.Sprintf("%s has no %s", digest, thing), signAgain)
}

// attested says whether a document is what somebody who counts has signed.
func (j *judge) attested(i Image, name, predicate string) {
	check := name + " attestation"
	if !j.in.Trusted {
		j.skip(check, "nobody said whose signatures count")
		return
	}
	claims := j.about(i.Digest, predicate)
	if len(claims) == 0 {
		j.absent(check, name+" attestation", i.Digest, predicate)
		return
	}
	documents := i.contents(predicate)
	if len(documents) == 0 {
		j.pass(check, "signed by %s; no plain copy is attached", list(j.signers(i.Digest, predicate)))
		return
	}
	for _, c := range claims {
		for _, d := range documents {
			if same(predicate, c.Predicate, d) {
				j.pass(check, "says the same as the plain copy, signed by %s", c.By)
				return
			}
		}
	}
	j.fail(check, fmt.Sprintf("what %s signed about %s is not what the plain copy says", claims[0].By, i.Digest), beware)
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
	var a, b any
	if decodeJSON(signed, &a) != nil || decodeJSON(document, &b) != nil {
		return false
	}
	return reflect.DeepEqual(a, b)
}

// decodeJSON keeps numbers as they are written.
func decodeJSON(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return dec.Decode(into)
}

// list joins names.
func list(names []string) string {
	text := ""
	for i, n := range names {
		switch {
		case i > 0 && i == len(names)-1:
			text += " and "
		case i > 0:
			text += ", "
		}
		text += n
	}
	return text
}
