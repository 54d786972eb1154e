# Every task of the project; CI calls only these.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
GEN := .build/gen
PROTOS := $(wildcard proto/caraway/v1/*.proto)
SERVICES := $(wildcard proto/caraway/v1/*_service.proto)
GOOGLE_PROTOS = $(shell $(GEN)/bin/python -c "import google.rpc, pathlib; print(pathlib.Path(list(google.rpc.__path__)[0]).parent.parent)")

# Nothing is left outside the checkout.
export PIP_CACHE_DIR ?= $(CURDIR)/.build/pip-cache

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(VENV)/.ready ## make .venv with everything that tests and demo need

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "caraway: Python 3.11 or newer is needed; name one with make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "caraway: this Python lacks the venv module; on Debian: apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --disable-pip-version-check 'pip>=25.1' || { echo "caraway: no package index can be reached; pip's message above says which"; exit 1; }
	@$(BIN)/pip install -q --disable-pip-version-check -e '.[server,worker]' --group dev || { echo "caraway: installing the Python packages failed; pip's message above names the package (no package index, or no wheel and no compiler)"; exit 1; }
	@touch $@

$(GEN)/.ready:
	@$(PYTHON) -m venv $(GEN)
	@$(GEN)/bin/pip install -q --disable-pip-version-check grpcio-tools==1.76.0 googleapis-common-protos==1.70.0 mypy-protobuf==3.7.0 || { echo "caraway: no package index can be reached; pip's message above says which"; exit 1; }
	@touch $@

PROTOC = PATH="$(CURDIR)/$(GEN)/bin:$$PATH" $(CURDIR)/$(GEN)/bin/python -m grpc_tools.protoc -Iproto -I$(GOOGLE_PROTOS)

# Each client other than Python's has a language.mk with targets of its own (setup-go, proto-go, lint-go); it adds its
# name to LANGUAGES, and the folder of its generated code to GENERATED.
LANGUAGES :=
OPENAPI := server/caraway_server/http/openapi.json
GENERATED := clients/python/caraway/v1 $(OPENAPI)
include $(wildcard clients/*/language.mk)

.PHONY: setup-polyglot
setup-polyglot: $(LANGUAGES:%=setup-%) ## install what the clients in other languages are built with

.PHONY: proto
proto: proto-python proto-openapi $(LANGUAGES:%=proto-%) ## regenerate all stubs that are checked in, with the one pinned protoc

.PHONY: proto-python
proto-python: $(GEN)/.ready
	@$(PROTOC) --python_out=clients/python --mypy_out=quiet:clients/python $(PROTOS)
	@$(PROTOC) --grpc_python_out=clients/python --mypy_grpc_out=quiet:clients/python $(SERVICES)

.build/image.binpb: $(GEN)/.ready $(PROTOS)
	@$(PROTOC) --include_imports --include_source_info --descriptor_set_out=$@ $(PROTOS)

.PHONY: proto-openapi
proto-openapi: .build/image.binpb
	@$(GEN)/bin/python proto/openapi.py $< > $(OPENAPI)

.PHONY: baseline
baseline: .build/image.binpb ## a release moves the contract that later changes must not break
	cp $< proto/baseline.binpb

.PHONY: lint-proto
lint-proto: setup .build/image.binpb proto ## buf lint, format, breaking; generated code is up to date
	@$(BIN)/buf lint .build/image.binpb --config proto/buf.yaml
	@$(BIN)/buf format -d --exit-code proto
	@$(BIN)/buf breaking .build/image.binpb --against proto/baseline.binpb --config proto/buf.yaml
	@git diff --exit-code --stat -- $(GENERATED) || { echo "caraway: generated code differs from proto/; run make proto and commit"; exit 1; }

.PHONY: lint
lint: setup lint-proto $(LANGUAGES:%=lint-%) ## ruff, mypy, import rules, protos
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: reference
reference: setup ## write docs/configuration.md and docs/app-settings.md from the settings' definitions
	@$(BIN)/caraway config --reference > docs/configuration.md
	@$(BIN)/python -m caraway.conf.reference > docs/app-settings.md

.PHONY: names
names: setup ## write the lists of Celery's names, docs/celery-names.md and what migrate-check ships
	@$(BIN)/python tests/docs/shipped_names.py names > clients/python/caraway/migration/names.json
	@$(BIN)/python tests/docs/shipped_names.py attributes > clients/python/caraway/migration/attributes.json
	@PYTHONPATH=tests $(BIN)/python tests/docs/public_names.py names > clients/python/caraway/migration/public_names.json
	@PYTHONPATH=tests $(BIN)/python tests/docs/public_names.py page > docs/celery-names.md

.PHONY: docs
docs: setup ## build the pages of docs/ as a site in .build/site; broken links fail
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -f docs/site/mkdocs.yml

# The newest version that Debian 12's Go can build.
GRPCURL := v1.9.1
GRPCURL_BIN := $(CURDIR)/.build/grpcurl-$(GRPCURL)

$(GRPCURL_BIN)/grpcurl:
	@command -v go >/dev/null || { echo "caraway: grpcurl is built by Go, and there is none; on Debian: apt install golang-go"; exit 1; }
	@GOBIN=$(GRPCURL_BIN) GOMODCACHE=$(CURDIR)/.build/go-modules GOCACHE=$(CURDIR)/.build/go-cache GOFLAGS=-modcacherw \
		go install github.com/fullstorydev/grpcurl/cmd/grpcurl@$(GRPCURL)

.PHONY: grpcurl
grpcurl: $(GRPCURL_BIN)/grpcurl ## build grpcurl, which the commands of docs/grpcurl.md need, and tell where it is
	@echo $<

# What build scripts of other languages call as protoc.
.build/protoc: $(GEN)/.ready
	@printf '#!/bin/sh\nexec "%s" -m grpc_tools.protoc "$$@"\n' "$(CURDIR)/$(GEN)/bin/python" > $@ && chmod +x $@

.PHONY: example-rust
example-rust: .build/protoc ## build examples/rust, with stubs from proto/ alone, and tell where it is
	@command -v cargo >/dev/null || { echo "caraway: the Rust example is built by cargo, and there is none; on Debian 12: apt install cargo-web, later: cargo"; exit 1; }
	@PROTOC=$(CURDIR)/.build/protoc GOOGLEAPIS=$(GOOGLE_PROTOS) CARGO_HOME=$(CURDIR)/.build/cargo CARGO_TARGET_DIR=$(CURDIR)/.build/rust \
		cargo build --quiet --manifest-path examples/rust/Cargo.toml
	@echo $(CURDIR)/.build/rust/debug/caraway-example

.PHONY: format
format: setup ## format Python and protos in place
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(BIN)/buf format -w proto

OLDEST := .build/oldest
# Tests wait more than they compute; those of one file share their servers.
PARALLEL := -n 2 --dist loadfile

# The lowest versions that pyproject.toml allows; what the tests themselves need is as new as goes with them.
$(OLDEST)/.ready: pyproject.toml
	@$(PYTHON) -m venv --clear $(OLDEST)
	@$(OLDEST)/bin/pip install -q --disable-pip-version-check 'uv>=0.9' || { echo "caraway: no package index can be reached; pip's message above says which"; exit 1; }
	@$(OLDEST)/bin/uv pip compile -q --python $(OLDEST)/bin/python --resolution lowest-direct --all-extras --no-header --no-annotate pyproject.toml -o $(OLDEST)/versions.txt
	@$(OLDEST)/bin/uv pip install -q --python $(OLDEST)/bin/python -c $(OLDEST)/versions.txt -r $(OLDEST)/versions.txt -e . --group dev
	@touch $@

# anyio, of a kind that goes with the oldest, brings a plugin that the newest pytest warns of; no test needs it.
.PHONY: test-oldest
test-oldest: $(OLDEST)/.ready ## the tests with the oldest supported dependencies, but for the slowest (kills)
	@$(OLDEST)/bin/pytest -q $(PARALLEL) -p no:anyio -m 'not chaos and not installs' tests/unit tests/sdk tests/store tests/api tests/worker tests/cli tests/e2e

.PHONY: test
test: lint ## set up and pass every test
	@mkdir -p .build
	@$(BIN)/pytest $(PARALLEL); code=$$?; echo $$code > .build/pytest.exit; exit $$code

.PHONY: demo
demo: setup ## count words on a gateway and a worker of its own: make demo FILES="a.txt b.txt"
	@PYTHONPATH=examples $(BIN)/python -m wordcount $(FILES)

.PHONY: bench
bench: setup ## measure Caraway, Celery and others in one run (three quarters of an hour): make bench ONLY="drain compare"
	@$(BIN)/python -m benchmarks $(ONLY)

ENDURANCE = PYTHONPATH=benchmarks/programs $(BIN)/python -m benchmarks.endurance

.PHONY: restarts
restarts: setup ## kill store and gateway a hundred times each under load (5 minutes): make restarts COUNT=10
	@$(ENDURANCE).restarts $(COUNT)

.PHONY: million
million: setup ## compare rates with a million tasks queued and with a thousand (10 minutes): make million COUNT=50000
	@$(ENDURANCE).million $(COUNT)

.PHONY: soak
soak: setup ## ten minutes at half the maximum rate, with a chart: make soak SECONDS=60
	@$(ENDURANCE).soak $(SECONDS)
