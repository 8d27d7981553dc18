package provenance

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/pgext/pgext/internal/digest"
	"github.com/pgext/pgext/internal/redact"
)

// Invocation is a run of a CI platform. The zero value means no platform.
type Invocation struct {
	// BuilderID is the URI of the workflow.
	BuilderID string
	// ID is the URL of the run.
	ID string
	// Source is the commit of the workflow file.
	Source Descriptor
}

// kindWorkflow is the annotation kind of Invocation.Source.
const kindWorkflow = "workflow"

// FromEnvironment returns the invocation of GitHub Actions or GitLab CI according to
// environment variables. Without such a service it returns the zero Invocation: no
// property of the host or user is recorded. getenv returns "" for unset variables.
func FromEnvironment(getenv func(string) string) Invocation {
	switch {
	case getenv("GITHUB_ACTIONS") == "true":
		return gitHub(getenv)
	case getenv("GITLAB_CI") == "true":
		return gitLab(getenv)
	}
	return Invocation{}
}

// gitHub reads the variables of GitHub Actions
// (https://docs.github.com/actions/reference/workflows-and-actions/variables).
func gitHub(getenv func(string) string) Invocation {
	server, repository := address(getenv("GITHUB_SERVER_URL")), getenv("GITHUB_REPOSITORY")
	if server == "" || repository == "" || getenv("GITHUB_WORKFLOW_REF") == "" {
		return Invocation{}
	}
	at := server + "/" + repository
	i := Invocation{
		BuilderID: server + "/" + getenv("GITHUB_WORKFLOW_REF"),
		ID:        at + "/actions/runs/" + getenv("GITHUB_RUN_ID"),
		Source: workflowSource(at, getenv("GITHUB_REF"), getenv("GITHUB_SHA"), map[string]string{
			"event": getenv("GITHUB_EVENT_NAME"), "repositoryId": getenv("GITHUB_REPOSITORY_ID"),
			"ownerId": getenv("GITHUB_REPOSITORY_OWNER_ID"), "runner": getenv("RUNNER_ENVIRONMENT"),
		}),
	}
	if attempt := getenv("GITHUB_RUN_ATTEMPT"); attempt != "" {
		i.ID += "/attempts/" + attempt
	}
	return i
}

// gitLab reads the variables of GitLab CI
// (https://docs.gitlab.com/ci/variables/predefined_variables/).
func gitLab(getenv func(string) string) Invocation {
	project := address(getenv("CI_PROJECT_URL"))
	if project == "" {
		return Invocation{}
	}
	ref := "refs/heads/" + getenv("CI_COMMIT_REF_NAME")
	if tag := getenv("CI_COMMIT_TAG"); tag != "" {
		ref = "refs/tags/" + tag
	} else if merge := getenv("CI_MERGE_REQUEST_REF_PATH"); merge != "" {
		ref = merge
	}
	config := "//" + cmp.Or(getenv("CI_CONFIG_PATH"), ".gitlab-ci.yml")
	if strings.ContainsAny(config, "@:") { // a file of another project, whose commit is unknown
		config = ""
	}
	return Invocation{
		BuilderID: project + config + "@" + ref,
		ID:        address(getenv("CI_JOB_URL")),
		Source: workflowSource(project, ref, getenv("CI_COMMIT_SHA"), map[string]string{
			"event": getenv("CI_PIPELINE_SOURCE"), "repositoryId": getenv("CI_PROJECT_ID"),
		}),
	}
}

// workflowSource describes a commit of the repository at a URL.
func workflowSource(at, ref, commit string, annotations map[string]string) Descriptor {
	annotations[kindKey] = kindWorkflow
	maps.DeleteFunc(annotations, func(_, value string) bool { return value == "" })
	d := Descriptor{URI: "git+" + at, Annotations: annotations}
	if ref != "" {
		d.URI += "@" + ref
	}
	if digest.IsSHA1(commit) {
		d.Digest = map[string]string{"gitCommit": commit}
	}
	return d
}

// address returns an http or https URL without credentials; "" for any other text.
func address(raw string) string { return strings.TrimRight(redact.Public(raw), "/") }

// WithInvocation returns a copy of the statement with an invocation, or without one
// for the zero Invocation.
func (s Statement) WithInvocation(i Invocation) Statement {
	s = s.WithoutInvocation()
	if i.BuilderID == "" {
		return s
	}
	run := &s.Predicate.RunDetails
	run.Builder.ID, run.Metadata.InvocationID = i.BuilderID, i.ID
	if i.Source.URI != "" {
		run.Builder.BuilderDependencies = append(run.Builder.BuilderDependencies, i.Source)
	}
	return s
}

// WithoutInvocation returns a copy of the statement without its invocation, as New
// returns it.
func (s Statement) WithoutInvocation() Statement {
	run := &s.Predicate.RunDetails
	run.Metadata = Metadata{}
	run.Builder.ID = BuilderID
	run.Builder.BuilderDependencies = slices.DeleteFunc(slices.Clone(run.Builder.BuilderDependencies), func(d Descriptor) bool {
		return d.Annotations[kindKey] == kindWorkflow
	})
	return s
}

// Same reports whether two encoded predicates are equal apart from their invocation.
// It returns false if one of them cannot be parsed.
func Same(a, b []byte) bool {
	p, err := ParsePredicate(a)
	if err != nil {
		return false
	}
	q, err := ParsePredicate(b)
	if err != nil {
		return false
	}
	x, errX := (Statement{Predicate: p}).WithoutInvocation().Predicate.Encode()
	y, errY := (Statement{Predicate: q}).WithoutInvocation().Predicate.Encode()
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// SameBuilder reports whether two encoded predicates are the same according to Same
// and have the same builder ID.
func SameBuilder(a, b []byte) bool {
	p, errP := ParsePredicate(a)
	q, errQ := ParsePredicate(b)
	return errP == nil && errQ == nil && p.RunDetails.Builder.ID == q.RunDetails.Builder.ID && Same(a, b)
}
