# TypeScript: npm's cache stays in .build; node_modules and dist stand beside the sources.
LANGUAGES += typescript
GENERATED += clients/typescript/src/gen

TS_DIR := $(CURDIR)/clients/typescript
TS_BIN := $(TS_DIR)/node_modules/.bin
NPM = cd $(TS_DIR) && npm_config_cache=$(CURDIR)/.build/npm-cache npm --silent
# A recipe that begins with this ends well, in one line, without Node; but fails in CI.
WITH_NODE = command -v npm >/dev/null && node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' \
	|| { echo "caraway: no Node.js 20 or newer with npm on this machine, so $@ is skipped; on Debian 13: apt install nodejs npm, elsewhere see nodejs.org"; exit $(if $(CI),1,0); }
# One at a time: tests of several processes begin with these.
TS_ALONE = mkdir -p $(CURDIR)/.build && flock $(CURDIR)/.build/typescript.lock

.PHONY: setup-typescript modules-typescript proto-typescript lint-typescript conformance-typescript docs-typescript
setup-typescript: modules-typescript
	@$(WITH_NODE); $(TS_ALONE) $(TS_BIN)/tsc -p $(TS_DIR)

# npm ci takes seconds, so it is left out where nothing has changed.
modules-typescript:
	@$(WITH_NODE); $(TS_ALONE) sh -c '[ $(TS_DIR)/node_modules/.package-lock.json -nt $(TS_DIR)/package-lock.json ] || { $(NPM) ci && touch node_modules/.package-lock.json; }'

proto-typescript: $(GEN)/.ready modules-typescript
	@$(WITH_NODE); mkdir -p $(TS_DIR)/src/gen; \
		$(PROTOC) --plugin=$(TS_BIN)/protoc-gen-es --es_out=$(TS_DIR)/src/gen --es_opt=target=ts,import_extension=js \
		$(PROTOS) google/rpc/status.proto google/rpc/error_details.proto

lint-typescript: modules-typescript
	@$(WITH_NODE); $(TS_BIN)/tsc -p $(TS_DIR) --noEmit
	@$(WITH_NODE); cd $(TS_DIR) && $(TS_BIN)/prettier --check --log-level warn .

conformance-typescript: setup-typescript
	@$(WITH_NODE); mkdir -p $(CURDIR)/.build/conformance; \
		printf '#!/bin/sh\nexec node "%s" "$$@"\n' "$(TS_DIR)/dist/conformance/main.js" > $(CURDIR)/.build/conformance/typescript; \
		chmod +x $(CURDIR)/.build/conformance/typescript

docs-typescript: modules-typescript ## write the TypeScript client's API docs to .build/typescript-docs; warnings fail
	@$(WITH_NODE); $(TS_BIN)/typedoc --options $(TS_DIR)/typedoc.json --out $(CURDIR)/.build/typescript-docs
