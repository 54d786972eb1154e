# Go: its modules, build cache and plugins stay in .build.
LANGUAGES += go
GENERATED += clients/go/carawaypb

GO_DIR := $(CURDIR)/clients/go
GO_BIN := $(CURDIR)/.build/go-bin
GO = cd $(GO_DIR) && GOBIN=$(GO_BIN) GOMODCACHE=$(CURDIR)/.build/go-modules GOCACHE=$(CURDIR)/.build/go-cache GOFLAGS="$$GOFLAGS -modcacherw" go
# What is generated needs a protobuf runtime at least as new as its plugin: go.mod requires the same version.
PROTOC_GEN_GO := v1.36.10
PROTOC_GEN_GO_GRPC := v1.5.1
# A recipe that begins with this ends well, in one line, without Go; but fails in CI.
WITH_GO = command -v go >/dev/null || { echo "caraway: no Go on this machine, so $@ is skipped; on Debian: apt install golang-go (1.23 or newer)"; exit $(if $(CI),1,0); }

.PHONY: setup-go proto-go lint-go conformance-go
setup-go:
	@$(WITH_GO); mkdir -p $(CURDIR)/.build; $(GO) mod download

$(GO_BIN)/protoc-gen-go-$(PROTOC_GEN_GO)-$(PROTOC_GEN_GO_GRPC):
	@$(WITH_GO); mkdir -p $(GO_BIN)
	@$(WITH_GO); $(GO) install google.golang.org/protobuf/cmd/protoc-gen-go@$(PROTOC_GEN_GO)
	@$(WITH_GO); $(GO) install google.golang.org/grpc/cmd/protoc-gen-go-grpc@$(PROTOC_GEN_GO_GRPC)
	@$(WITH_GO); touch $@

proto-go: $(GEN)/.ready $(GO_BIN)/protoc-gen-go-$(PROTOC_GEN_GO)-$(PROTOC_GEN_GO_GRPC)
	@$(WITH_GO); mkdir -p $(GO_DIR)/carawaypb; \
		$(PROTOC) --plugin=$(GO_BIN)/protoc-gen-go --plugin=$(GO_BIN)/protoc-gen-go-grpc \
		--go_out=$(GO_DIR) --go_opt=module=github.com/caraway-tasks/caraway/clients/go \
		--go-grpc_out=$(GO_DIR) --go-grpc_opt=module=github.com/caraway-tasks/caraway/clients/go $(PROTOS)

lint-go:
	@$(WITH_GO); wrong=$$(gofmt -l $(GO_DIR)); [ -z "$$wrong" ] || { echo "caraway: gofmt would change $$wrong; run gofmt -w"; exit 1; }
	@$(WITH_GO); $(GO) vet ./...

conformance-go:
	@$(WITH_GO); $(GO) build -o $(CURDIR)/.build/conformance/go ./conformance
