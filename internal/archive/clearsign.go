package archive

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// The cleartext signature framework of RFC 9580, section 7.
var (
	beginMessage   = []byte("-----BEGIN PGP SIGNED MESSAGE-----")
	beginSignature = []byte("-----BEGIN PGP SIGNATURE-----")
	endSignature   = []byte("-----END PGP SIGNATURE-----")
	dashEscape     = []byte("- ")
)

// message is a text with its signatures, before anyone has compared them.
type message struct {
	text       []byte // what a reader sees, lines end in "\n"
	signed     []byte // what the signatures cover
	signatures []byte // armored or binary
}

// splitClearsigned takes a clearsigned file apart. It is stricter than the
// RFC: the file is one message with nothing around it, so no part of it can
// be mistaken for signed text.
func splitClearsigned(data []byte) (message, error) {
	line, rest := cutLine(data)
	if !bytes.Equal(line, beginMessage) {
		return message{}, errors.New("does not start with a signed message")
	}
	rest, err := skipHeaders(rest)
	if err != nil {
		return message{}, err
	}
	m := message{text: make([]byte, 0, len(rest)), signed: make([]byte, 0, len(rest)+len(rest)/32)}
	for {
		if len(rest) == 0 {
			return message{}, errors.New("ends before its signature")
		}
		start := rest
		line, rest = cutLine(rest)
		if bytes.Equal(line, beginSignature) {
			rest = start
			break
		}
		if m, err = m.add(line); err != nil {
			return message{}, err
		}
	}
	end := bytes.Index(rest, endSignature)
	if end < 0 {
		return message{}, errors.New("ends inside its signature")
	}
	end += len(endSignature)
	if len(bytes.TrimSpace(rest[end:])) > 0 {
		return message{}, errors.New("has text after its signature")
	}
	m.signatures = rest[:end]
	return m, nil
}

// add appends one line of the message: dashes unescaped, and without the
// white space at its end that signatures do not cover.
func (m message) add(line []byte) (message, error) {
	if bytes.HasPrefix(line, dashEscape) {
		line = line[len(dashEscape):]
	} else if len(line) > 0 && line[0] == '-' {
		return message{}, fmt.Errorf("has the line %.40q inside the signed text", line)
	}
	line = bytes.TrimRight(line, " \t\r")
	if bytes.IndexByte(line, '\r') >= 0 {
		return message{}, errors.New("has a carriage return inside a line")
	}
	if len(m.text) > 0 {
		m.signed = append(m.signed, '\r', '\n')
	}
	m.signed = append(m.signed, line...)
	m.text = append(append(m.text, line...), '\n')
	return m, nil
}

// skipHeaders returns what follows the armor headers, of which only Hash is
// allowed: others could change what is signed.
func skipHeaders(rest []byte) ([]byte, error) {
	var line []byte
	for len(rest) > 0 {
		if line, rest = cutLine(rest); len(line) == 0 {
			return rest, nil
		}
		if name, _, ok := strings.Cut(string(line), ":"); !ok || name != "Hash" {
			return nil, fmt.Errorf("has the header %.40q", line)
		}
	}
	return nil, errors.New("ends in its headers")
}

// cutLine returns the first line without its end, and the rest.
func cutLine(data []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(data, []byte("\n"))
	return bytes.TrimRight(line, "\r"), rest
}
