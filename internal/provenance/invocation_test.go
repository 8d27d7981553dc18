package provenance

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type environment map[string]string

func (e environment) get(name string) string { return e[name] }

// with returns the environment with pairs of names and values changed.
func (e environment) with(pairs ...string) environment {
	out := environment{}
	for k, v := range e {
		out[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

const commit = "0123456789abcdef0123456789abcdef01234567"

var (
	gitHubRun = environment{
		"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "octo/images",
		"GITHUB_WORKFLOW_REF": "octo/images/.github/workflows/build.yml@refs/heads/main",
		"GITHUB_RUN_ID":       "77", "GITHUB_RUN_ATTEMPT": "2", "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": commit,
		"GITHUB_EVENT_NAME": "push", "GITHUB_REPOSITORY_ID": "1", "GITHUB_REPOSITORY_OWNER_ID": "2", "RUNNER_ENVIRONMENT": "github-hosted",
		"GITHUB_ACTOR": "somebody", "GITHUB_TOKEN": "secret", "HOSTNAME": "runner-9",
	}
	gitLabRun = environment{
		"GITLAB_CI": "true", "CI_PROJECT_URL": "https://gitlab.example/group/images", "CI_PROJECT_ID": "5",
		"CI_JOB_URL": "https://gitlab.example/group/images/-/jobs/9", "CI_COMMIT_SHA": commit, "CI_COMMIT_REF_NAME": "main",
		"CI_PIPELINE_SOURCE": "schedule", "CI_CONFIG_PATH": ".gitlab-ci.yml", "GITLAB_USER_LOGIN": "somebody",
	}
)

func TestFromEnvironment(t *testing.T) {
	gitHub := Invocation{
		BuilderID: "https://github.com/octo/images/.github/workflows/build.yml@refs/heads/main",
		ID:        "https://github.com/octo/images/actions/runs/77/attempts/2",
		Source: Descriptor{
			URI: "git+https://github.com/octo/images@refs/heads/main", Digest: map[string]string{"gitCommit": commit},
			Annotations: map[string]string{"kind": "workflow", "event": "push", "repositoryId": "1", "ownerId": "2", "runner": "github-hosted"},
		},
	}
	gitLab := func(ref, config string) Invocation {
		return Invocation{
			BuilderID: "https://gitlab.example/group/images" + config + "@" + ref,
			ID:        "https://gitlab.example/group/images/-/jobs/9",
			Source: Descriptor{
				URI: "git+https://gitlab.example/group/images@" + ref, Digest: map[string]string{"gitCommit": commit},
				Annotations: map[string]string{"kind": "workflow", "event": "schedule", "repositoryId": "5"},
			},
		}
	}
	for _, tt := range []struct {
		name string
		env  environment
		want Invocation
	}{
		{"local", environment{"HOSTNAME": "laptop", "USER": "me", "HOME": "/home/me"}, Invocation{}},
		{"GitHub", gitHubRun, gitHub},
		{"GitHub with credentials in its URL", gitHubRun.with("GITHUB_SERVER_URL", "https://u:p@github.com/"), gitHub},
		{"GitHub without a workflow", gitHubRun.with("GITHUB_WORKFLOW_REF", ""), Invocation{}},
		{"GitHub without a URL", gitHubRun.with("GITHUB_SERVER_URL", "not a URL"), Invocation{}},
		{"GitLab", gitLabRun, gitLab("refs/heads/main", "//.gitlab-ci.yml")},
		{"GitLab tag", gitLabRun.with("CI_COMMIT_TAG", "v1", "CI_COMMIT_REF_NAME", "v1"), gitLab("refs/tags/v1", "//.gitlab-ci.yml")},
		{"GitLab merge request", gitLabRun.with("CI_MERGE_REQUEST_REF_PATH", "refs/merge-requests/3/head"), gitLab("refs/merge-requests/3/head", "//.gitlab-ci.yml")},
		{"GitLab configuration in another project", gitLabRun.with("CI_CONFIG_PATH", "ci.yml@group/other"), gitLab("refs/heads/main", "")},
		{"GitLab configuration in a directory", gitLabRun.with("CI_CONFIG_PATH", "ci/build.yml"), gitLab("refs/heads/main", "//ci/build.yml")},
		{"GitLab without a project", gitLabRun.with("CI_PROJECT_URL", ""), Invocation{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, FromEnvironment(tt.env.get)); diff != "" {
				t.Errorf("FromEnvironment() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWithInvocation(t *testing.T) {
	plain := statement(t)
	before := encoded(t, plain)
	run := plain.WithInvocation(FromEnvironment(gitHubRun.get))
	if got := run.Predicate.RunDetails.Builder.ID; got != "https://github.com/octo/images/.github/workflows/build.yml@refs/heads/main" {
		t.Errorf("builder.id = %q", got)
	}
	if got := encoded(t, run); slices.Equal(before, got) {
		t.Error("the copy has no invocation")
	}
	if got := encoded(t, plain); !slices.Equal(before, got) {
		t.Error("the plain statement was changed")
	}
	for name, s := range map[string]Statement{
		"removed":   run.WithoutInvocation(),
		"local":     run.WithInvocation(Invocation{}),
		"twice":     run.WithInvocation(FromEnvironment(gitLabRun.get)).WithoutInvocation(),
		"never set": plain.WithoutInvocation(),
	} {
		if got := encoded(t, s); !slices.Equal(before, got) {
			t.Errorf("%s: not the plain statement again:\n%s", name, cmp.Diff(string(before), string(got)))
		}
	}
}

func TestSame(t *testing.T) {
	predicate := func(s Statement) []byte {
		data, err := s.Predicate.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	plain := predicate(statement(t))
	for _, tt := range []struct {
		name  string
		other []byte
		want  bool
	}{
		{"itself", plain, true},
		{"another run", predicate(statement(t).WithInvocation(FromEnvironment(gitHubRun.get))), true},
		{"another package", predicate(statement(t, func(in *Input) { in.Pins.Packages[0].Version = "3" })), false},
		{"another program", predicate(statement(t, func(in *Input) { in.Program.Version = "v9" })), false},
		{"not a predicate", []byte(`{}`), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Same(plain, tt.other); got != tt.want {
				t.Errorf("Same() = %v, want %v", got, tt.want)
			}
			if got := Same(tt.other, plain); got != tt.want {
				t.Errorf("Same() the other way round = %v, want %v", got, tt.want)
			}
		})
	}
}

// TestSameBuilder compares builds of different runs and builders.
func TestSameBuilder(t *testing.T) {
	run := func(e environment, edit ...func(*Input)) []byte {
		data, err := statement(t, edit...).WithInvocation(FromEnvironment(e.get)).Predicate.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	first := run(gitHubRun)
	for _, tt := range []struct {
		name  string
		other []byte
		want  bool
	}{
		{"another run", run(gitHubRun.with("GITHUB_RUN_ID", "78")), true},
		{"another workflow", run(gitHubRun.with("GITHUB_WORKFLOW_REF", "octo/images/.github/workflows/other.yml@refs/heads/main")), false},
		{"another platform", run(gitLabRun), false},
		{"without an invocation", run(environment{}), false},
		{"another package", run(gitHubRun, func(in *Input) { in.Pins.Packages[0].Version = "3" }), false},
		{"not a predicate", []byte(`{}`), false},
	} {
		if got := SameBuilder(first, tt.other); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
		if got := SameBuilder(tt.other, first); got != tt.want {
			t.Errorf("%s, the other way round: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
