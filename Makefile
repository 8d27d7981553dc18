# The front door: `make help` lists what there is.

GO      ?= go
PREFIX  ?= /usr/local
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  = -s -w -X main.version=$(VERSION)
DISTRO  ?= forky
PG      ?= 18
BUILD    = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=auto -ldflags '$(LDFLAGS)'

GOLANGCI_LINT_VERSION = v2.12.2
TOOLS = $(CURDIR)/bin/tools

.DEFAULT_GOAL := help
.PHONY: help build install test race scan lint prose tidy check demo bench corpus regress live upgrade fuzz faults soak mutants cross clean

# The packages that start goroutines or are called from several.
RACE = ./builder ./debextract ./internal/apt ./internal/archive ./internal/cache ./internal/debinfo ./internal/decompress \
	./internal/fetch ./internal/image ./internal/registry ./internal/rootfs ./sbom ./sign

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## compile bin/pgext, one static binary
	$(BUILD) -o bin/pgext ./cmd/pgext

install: build ## copy bin/pgext to $(PREFIX)/bin
	install -D -m 0755 bin/pgext $(DESTDIR)$(PREFIX)/bin/pgext

test: ## run every test and list the comparisons with real programs that did not run
	@.ci/test.sh

race: ## run the tests of the packages with goroutines under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -short -timeout 10m $(RACE)

scan: ## scan images that pgext builds with syft, a module of its own (PGEXT_SCAN=dist scans existing images)
	cd testdata/scanner && $(GO) test -count=1 -v ./...

# The linter's cache belongs to the checkout: a shared one keeps findings under
# the paths of other checkouts, which the exclusions do not match.
lint: prose $(TOOLS)/golangci-lint ## run the linters of .golangci.yml and the prose counter
	GOLANGCI_LINT_CACHE=$(CURDIR)/bin/lint $(TOOLS)/golangci-lint run ./...

prose: ## count phrases that STYLE in CONTRIBUTING.md asks to avoid
	$(GO) run .ci/prose.go

tidy: ## fail if go.mod or go.sum are not tidy
	$(GO) mod tidy -diff

check: tidy lint cross test race scan ## run everything that CI runs

demo: build ## build pgvector from the live archive, push it to a loopback registry, read it back
	@.ci/demo.sh

bench: build ## measure pgext against its budgets of time and memory
	@.ci/bench.sh

live: build ## try the recipes out on a real PostgreSQL server (RECIPES=recipes, DISTRO=forky, ARCH)
	@.ci/live.sh

upgrade: build ## upgrade PostGIS of OLD=forky to that of NEW=sid, on a real PostgreSQL server
	@.ci/upgrade.sh

fuzz: ## run every fuzz target for FUZZTIME (default 30s) each
	@.ci/fuzz.sh

corpus: build ## build every extension package of DISTRO for PG, ask the loader, try it out; UPDATE=1 writes docs/corpus.md
	$(GO) test -tags corpus -count=1 -timeout 60m -run '^(TestCorpus|TestGuard)$$' $(if $(V),-v) ./cmd/pgext -args -distro $(DISTRO) -pg $(PG) -archives '$(ARCHIVES)' $(if $(UPDATE),-update)

faults: ## fail every request of a publish in every way; kill the program at KILLS (default 50) moments of one
	$(GO) test -count=1 -timeout 120m -v -run '^TestFaults$$' ./internal/registry -args -every-fault
	$(GO) test -tags faults -count=1 -timeout 60m -v -run '^TestKill$$' ./cmd/pgext -args -kills $(or $(KILLS),50) -seed $(or $(SEED),0)

regress: ## run the extensions' own regression suites against the images of recipes/; UPDATE=1 writes docs/regress.md
	$(GO) test -tags regress -count=1 -timeout 30m -parallel 2 -run '^TestRegress$$' -v ./cmd/pgext -args -only '$(ONLY)' $(if $(UPDATE),-update)

soak: build ## build the recipes again and again, elsewhere, interrupted, two at a time; nothing may differ
	@.ci/soak.sh

mutants: ## break N (default 100) random branches chosen by SEED (default 1); the tests must notice
	$(GO) run .ci/mutants.go -n $(or $(N),100) -seed $(or $(SEED),1) $(PACKAGES)

cross: ## compile for the other platforms that must build
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/pgext
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/pgext

clean: ## remove what was built here
	rm -rf bin dist

$(TOOLS)/golangci-lint: Makefile
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@touch $@
