# Everything is set up on first use: a .venv with the locked packages and the workspace's members, and node_modules for the tools from npm.
# Stamp files inside .venv and node_modules say what is already done, so deleting either folder starts that part afresh.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Any Python from 3.11; the first of these that is one makes the .venv.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
ARGS ?=
# A test process that dies ends the run: the tests that it still had would never come.
IN_PARALLEL := -n auto --max-worker-restart 0
# Models that `make setup` fetches, by their names for `maie models pull`. MODELS= fetches none: `make demo MODELS= ARGS="--profile tiny"`.
MODELS ?= whisper-base
TEST_MODELS ?= whisper-tiny.en smart-turn-v3.2 hama-phones-1.3
# Where they go; all clones share it.
MAIE_MODELS_DIR ?= $(HOME)/.cache/maie/models
export MAIE_MODELS_DIR
# A mesh and its tests are many processes, and each would compile all that it imports.
export PYTHONDONTWRITEBYTECODE :=

BIN := .venv/bin
UV := VIRTUAL_ENV=.venv $(BIN)/uv
NPM := $(CURDIR)/node_modules/.bin
BUF := $(NPM)/buf
VLLM := .venv-vllm/bin
CONSOLE := services/web/maie_web/static
LOGS := .cache/log
MEMBERS := $(sort $(dir $(wildcard gateway/pyproject.toml libs/*/pyproject.toml services/*/pyproject.toml)))
DEPLOYABLES := gateway libs/cli $(wildcard services/*)
RELEASED := protos/released.binpb

# $(call step,what is done,command,what to say when it fails): one line, its output only on failure.
define step
@echo "· $(1)"; mkdir -p $(LOGS); log=$(LOGS)/$$(basename $@).log; \
	( $(2) ) >$$log 2>&1 || { tail -n 40 $$log; echo "✗ $(1) failed: $(3)"; exit 1; } >&2
endef

##@ Use

.PHONY: demo
demo: setup ## Start the whole mesh, transcribe and summarise the samples, stop; FILE=... takes a recording of yours.
	@$(BIN)/maie demo $${FILE:+"$$FILE"} $(ARGS)

.PHONY: test
test: tested ## Run the tests; ARGS="-k name" picks some.
	@$(BIN)/python -m pytest $(if $(ARGS),,$(IN_PARALLEL)) $(ARGS)

.PHONY: test-slow
test-slow: tested ## Run the tests that `make test` leaves out because they take long.
	@$(BIN)/python -m pytest $(IN_PARALLEL) -m slow $(ARGS)

.PHONY: test-all
test-all: test test-slow ## Run all tests.

.PHONY: tested
tested: setup $(TEST_MODELS:%=$(BIN)/.model-%) $(if $(shell command -v npm),node_modules/.installed,no-npm)

.PHONY: test-vllm
test-vllm: .venv-vllm/.members ## Run the tests of vLLM, in an environment of their own (.venv-vllm, 2 GB).
	@$(VLLM)/python -m pytest tests/vllm $(ARGS)

.PHONY: test-diarization-engines
test-diarization-engines: .venv-diarization-engines/.members ## Run what every diarization engine promises for those of torch, too, in an environment of their own (3 GB).
	@.venv-diarization-engines/bin/python -m pytest tests/diarization/test_engine_contract.py tests/diarization/test_engine_refusals.py tests/diarization/test_sortformer.py -W default $(ARGS)

.PHONY: test-alignment-engines
test-alignment-engines: .venv-diarization-engines/.members ## Run what every alignment engine promises for models of torch, too, in the environment of the diarization engines.
	@.venv-diarization-engines/bin/python -m pytest tests/alignment/test_engine_contract.py tests/alignment/test_wav2vec2_torch.py -W default $(ARGS)

.PHONY: test-triton
test-triton: tested .venv-triton/.locked ## Run the alignment engine triton with NVIDIA's Triton itself, in an environment of its own (60 MB).
	@$(BIN)/python -m pytest tests/alignment/test_real_triton.py $(ARGS)

.PHONY: pictures
pictures: tested browser ## Take pictures of the console's pages for docs/; ARGS name single ones.
	@$(BIN)/python -m tools.pictures $(ARGS)

.PHONY: bench-vllm
bench-vllm: .venv-vllm/.members ## Run bench/vllm_engine.py in the environment of vLLM.
	@$(VLLM)/python -m bench.vllm_engine $(ARGS)

.PHONY: bench-live_peers
bench-live_peers: setup $(BIN)/.model-whisper-tiny.en .venv-peers/.locked ## Run bench/live_peers.py beside other products, which it installs (.venv-peers, 2 GB).
	@$(BIN)/python -m bench.live_peers $(ARGS)

.PHONY: bench-diarization
bench-diarization: setup .venv-diarization/.locked ## Run bench/diarization beside other products, which it installs (.venv-diarization, 1.5 GB).
	@$(BIN)/python -m bench.diarization $(ARGS)

.PHONY: bench-alignment.boundaries
bench-alignment.boundaries: setup talkers $(BIN)/.model-hama-phones-1.3 .venv-alignment-peers/.locked .venv-aeneas/.locked ## Run bench/alignment/boundaries.py beside other aligners, which it installs (.venv-alignment-peers, .venv-aeneas, 1.5 GB).
	@$(BIN)/python -m bench.alignment.boundaries $(ARGS)

bench-live: $(BIN)/.model-whisper-tiny.en
bench-lighthouse: browser .lighthouse/.installed
bench-scrolling: browser

.PHONY: bench-%
bench-%: setup ## Run bench/NAME.py and print its figures; ARGS are passed on.
	@$(BIN)/python -m bench.$* $(ARGS)

.PHONY: chaos
chaos: setup faketime ## Break a mesh on purpose and count what came of every job; ARGS="--trials 20", ARGS="--store s3".
	@$(BIN)/python -m tests.chaos $(ARGS)

# Without it, the tests that open pages say that they were left out.
.PHONY: browser
browser: ## Install Chromium, in which tests open pages, on Debian.
ifeq ($(wildcard /usr/bin/chromium),)
	@mkdir -p $(LOGS); install="apt-get install --yes --no-install-recommends chromium"; \
		{ $$install || { apt-get update && $$install; }; } >$(LOGS)/$@.log 2>&1 && echo "· installed chromium" \
		|| { echo "✗ chromium is missing and could not be installed (on Debian, as root: apt install chromium)"; exit 1; } >&2
endif

# Without it, tests that speak say that they were left out, and `maie up` starts no synthesis service.
.PHONY: flite
flite: ## Install Flite, whose voices speak, on Debian.
ifeq ($(wildcard /usr/lib/*/libflite.so.1),)
	@mkdir -p $(LOGS); install="apt-get install --yes --no-install-recommends libflite1"; \
		{ $$install || { apt-get update && $$install; }; } >$(LOGS)/$@.log 2>&1 && echo "· installed Flite" \
		|| { echo "✗ Flite is missing and could not be installed (on Debian, as root: apt install libflite1)"; exit 1; } >&2
endif

# Programs that speak: `flite` prints its times, and aeneas compares with what espeak-ng says, which it reads by FFmpeg.
.PHONY: talkers
talkers: flite
ifneq ($(words $(shell command -v flite espeak-ng ffmpeg)),3)
	@mkdir -p $(LOGS); install="apt-get install --yes --no-install-recommends flite espeak-ng ffmpeg"; \
		{ $$install || { apt-get update && $$install; }; } >$(LOGS)/$@.log 2>&1 && echo "· installed flite, espeak-ng and ffmpeg" \
		|| { echo "✗ flite, espeak-ng or ffmpeg is missing and could not be installed (on Debian, as root: apt install flite espeak-ng ffmpeg)"; exit 1; } >&2
endif

.PHONY: upgrade-test
upgrade-test: tested ## Replace a mesh of the release before by this one part by part, and back, under load.
	@$(BIN)/python -m pytest -m slow tests/upgrade $(ARGS)

# Without it, the run itself says which faults it left out.
.PHONY: faketime
faketime:
ifeq ($(wildcard /usr/lib*/faketime/libfaketimeMT.so.1 /usr/lib/*/faketime/libfaketimeMT.so.1),)
	@mkdir -p $(LOGS); install="apt-get install --yes --no-install-recommends faketime"; \
		{ $$install || { apt-get update && $$install; }; } >$(LOGS)/$@.log 2>&1 && echo "· installed faketime" \
		|| echo "· faketime is missing and could not be installed (on Debian, as root: apt install faketime)"
endif

##@ Check

.PHONY: attacks
attacks: tested ## Attack a mesh in all the ways of docs/attacks.md and print what came of each.
	@$(BIN)/python -m tests.attacks $(ARGS)

.PHONY: fuzz
fuzz: tested ## Fuzz all parsers, the media intake and all RPCs; ARGS="--seconds 300 --recordings 2000" does it for longer.
	@$(BIN)/python -m tests.fuzz $(ARGS)

# Debian has promtool in the package prometheus, of which no server is started here. Without it, the tests say what they left out.
.PHONY: promtool
promtool: ## Check the Prometheus rules and run their tests with promtool, which it installs on Debian.
ifeq ($(shell command -v promtool),)
	@mkdir -p $(LOGS); install="apt-get install --yes --no-install-recommends prometheus"; \
		{ RUNLEVEL=1 $$install || { apt-get update && RUNLEVEL=1 $$install; }; } >$(LOGS)/$@.log 2>&1 && echo "· installed promtool" \
		|| { echo "✗ promtool is missing and could not be installed (on Debian, as root: apt install prometheus)"; exit 1; } >&2
endif
	$(call step,promtool,promtool check rules deploy/observability/rules/*.yaml && promtool test rules deploy/observability/rules/tests/*.yaml,see above.)

.PHONY: checkov
checkov: environment .venv-checkov/.locked ## Check what the chart renders to with checkov; helm/checkov.yaml has the exceptions.
	@mkdir -p build/chart; for values in helm/maie/values/*.yaml; do \
		$(BIN)/helm template maie helm/maie -f $$values >build/chart/$$(basename $$values) || exit 1; done
	$(call step,checkov,.venv-checkov/bin/checkov --config-file helm/checkov.yaml -d build/chart,see above.)

.PHONY: docs
docs: environment .venv-docs/.locked ## Build the documentation as a site into build/site; a dead link or a missing anchor fails.
	$(call step,the documentation as a site,NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict,see above.)

.PHONY: lint
lint: docs lint-python lint-types lint-layers lint-dependencies lint-generated lint-protos lint-console lint-images ## Check style, types, layers, dependencies, the contract, what is generated from it, the console, and the Dockerfile.

.PHONY: lint-python
lint-python: environment
	$(call step,ruff,$(BIN)/ruff check --quiet --output-format concise . && $(BIN)/ruff format --quiet --diff .,see above; make format mends most of it.)

.PHONY: lint-types
lint-types: environment
	$(call step,mypy,$(BIN)/mypy,see above.)

.PHONY: lint-layers
lint-layers: environment
	$(call step,import-linter,$(BIN)/lint-imports --cache-dir .cache/import-linter --no-logo,an import crosses a layer of [tool.importlinter] in pyproject.toml.)

.PHONY: lint-dependencies
lint-dependencies: environment
	$(call step,declared dependencies against imports,for folder in $(MEMBERS); do echo $$folder; \
		(cd $$folder && $(CURDIR)/$(BIN)/deptry --no-ansi --package-module-name-map maie-contracts=maie .) || exit 1; \
		done,declare in pyproject.toml what is imported and nothing else; then run make lock.)

.PHONY: lint-generated
lint-generated: environment
	$(call step,generated code against protos/,$(BIN)/python libs/contracts/generate.py --check,run make generate and commit what it writes.)
	$(call step,generated pages against the code,$(BIN)/python -m tools.pages --check,run make generate and commit what it writes.)
	$(call step,generated dashboards against the code,$(BIN)/python -m tools.dashboards --check,run make generate and commit what it writes.)
	$(call step,copies of the version against VERSION,$(BIN)/python -m tools.version --check,run make version VERSION=NUMBER and commit what it writes.)
	$(call step,copies in the chart against their sources,$(BIN)/python -m tools.chart --check,run make generate and commit what it writes.)

.PHONY: lint-protos
lint-protos: node_modules/.installed
	$(call step,buf lint,$(BUF) lint,see above.)
ifneq ($(wildcard $(RELEASED)),)
	$(call step,buf breaking against $(RELEASED),$(BUF) breaking --against $(RELEASED),the change breaks clients of the released contract.)
else
	@echo "· buf breaking: nothing to compare with; no contract has been released yet (make release-contract)"
endif

.PHONY: lint-console
lint-console: node_modules/.installed
	$(call step,types of the console,$(NPM)/tsc -p services/web/console,see above.)
	$(call step,biome,cd services/web/console && $(NPM)/biome check --error-on-warnings,see above; make format mends most of it.)
	$(call step,unit tests of the console,$(NPM)/vitest run --root services/web/console,see above.)

.PHONY: lint-images
lint-images: environment
	$(call step,hadolint,$(BIN)/hadolint deploy/images/Dockerfile,see above.)

.PHONY: audit
audit: environment .venv-audit/.locked ## Ask databases of known vulnerabilities about all locked packages; says where none could be asked.
	@$(BIN)/python -m tools.audit

.PHONY: sbom
sbom: environment .venv-audit/.locked ## Write a CycloneDX list of what each deployable installs, with licences, to build/sbom/.
	@mkdir -p build/sbom; for folder in $(DEPLOYABLES); do \
		name=$$(sed -n 's/^name = "\(.*\)"/\1/p' $$folder/pyproject.toml); \
		.venv-audit/bin/python -W ignore -m cyclonedx_py requirements --pyproject $$folder/pyproject.toml --output-reproducible \
			-o build/sbom/$$name.cdx.json locks/$$name.txt || exit 1; done
	@$(BIN)/python -m tools.sbom build/sbom/*.cdx.json
	@.venv-audit/bin/python tools/sbom_check.py build/sbom/*.cdx.json

##@ Change

.PHONY: format
format: environment ## Format the Python code and the console, and mend what ruff and biome can.
	@$(BIN)/ruff check --quiet --fix --exit-zero . && $(BIN)/ruff format --quiet .
	@if [ -e $(NPM)/biome ]; then cd services/web/console && $(NPM)/biome check --write --log-level=error; fi

.PHONY: generate
generate: environment ## Write what is generated anew: the contract's code, the pages of the API, settings, reasons and licences, dashboards, files of the chart.
	$(call step,generating the contract's code,$(BIN)/python libs/contracts/generate.py,see above.)
	$(call step,generating pages,$(BIN)/python -m tools.pages,see above.)
	$(call step,generating dashboards,$(BIN)/python -m tools.dashboards,see above.)
	$(call step,copying into the chart,$(BIN)/python -m tools.chart,see above.)

.PHONY: release-contract
release-contract: node_modules/.installed ## Make the contract as it stands the released one, which later changes may not break.
	$(call step,writing $(RELEASED),$(BUF) build --exclude-source-info -o $(RELEASED),see above.)

# The locks of the deployables do not have the members, so that they stay as they are.
.PHONY: version
version: environment ## Make VERSION=1.2.0 the version of all distributions, the chart and the compose file.
	@$(BIN)/python -m tools.version "$(VERSION)"
	@$(MAKE) environment
	$(call step,rendering the chart,$(BIN)/python -m tests.helm.golden,see above.)

# Locks hold names, versions and hashes and no address of a registry. What they hold stays as it is where it still fits, so that adding a
# package moves no other; each deployable has the versions of locks/workspace.txt.
.PHONY: lock
lock: $(BIN)/.uv ## Resolve the packages again (ARGS=--upgrade: to the newest) and write locks/ and package-lock.json.
	$(call step,writing locks/workspace.txt,$(UV_LOCK) $(ARGS) --group pyproject.toml:dev $(addsuffix pyproject.toml,$(MEMBERS)) -o locks/workspace.txt,see above.)
	$(call step,writing the locks of the deployables,for folder in $(DEPLOYABLES); do \
		name=$$(sed -n 's/^name = "\(.*\)"/\1/p' $$folder/pyproject.toml); \
		$(UV_LOCK) --constraints locks/workspace.txt $$folder/pyproject.toml -o locks/$$name.txt || exit 1; \
		done && $(UV_LOCK_PLAIN) --constraints locks/workspace.txt --extra livekit libs/cli/pyproject.toml -o locks/cli-without-mesh.txt \
		&& $(UV_COMPILE) --no-config --universal locks/uv.in -o locks/uv.txt,see above.)
	$(call step,writing locks/audit.txt,$(UV_COMPILE) --no-config $(ARGS) --universal --python-version 3.11 locks/audit.in -o locks/audit.txt,see above.)
	$(call step,writing locks/checkov.txt,$(UV_COMPILE) --no-config $(ARGS) --universal --python-version 3.11 locks/checkov.in -o locks/checkov.txt,see above.)
	$(call step,writing locks/docs.txt,$(UV_COMPILE) --no-config $(ARGS) --universal --python-version 3.11 locks/docs.in -o locks/docs.txt,see above.)
	$(call step,writing locks/vllm.txt,$(UV_COMPILE) --no-config $(ARGS) --python-version 3.11 --python-platform x86_64-manylinux_2_28 $(TORCH) \
		--excludes locks/vllm-without.txt $(addprefix --no-emit-package ,$(NAMES)) --extra mesh \
		locks/vllm.in $(addsuffix pyproject.toml,$(MEMBERS)) -o locks/vllm.txt,see above.)
	$(call step,writing the locks of the images for GPUs,$(UV_LOCK_CUDA) --constraints locks/workspace.txt --all-extras \
		locks/asr-cuda.in services/asr/pyproject.toml -o locks/asr-cuda.txt \
		&& $(UV_LOCK_CUDA) locks/llm-cuda.in services/enhancement/pyproject.toml services/summary/pyproject.toml -o locks/llm-cuda.txt,see above.)
	$(call step,writing locks/peers.txt,$(UV_COMPILE) --no-config $(ARGS) --python-version 3.11 --python-platform x86_64-manylinux_2_28 $(TORCH) \
		--excludes locks/peers-without.txt locks/peers.in -o locks/peers.txt,see above.)
	$(call step,writing locks/diarization-peers.txt,$(UV_COMPILE) --no-config $(ARGS) --python-version 3.11 --python-platform x86_64-manylinux_2_28 $(TORCH) \
		--excludes locks/peers-without.txt locks/diarization-peers.in -o locks/diarization-peers.txt,see above.)
	$(call step,writing locks/alignment-peers.txt,$(UV_COMPILE) --no-config $(ARGS) --python-version 3.11 --python-platform x86_64-manylinux_2_28 $(TORCH) \
		locks/alignment-peers.in -o locks/alignment-peers.txt,see above.)
	$(call step,writing locks/aeneas.txt,$(UV_COMPILE) --no-config $(ARGS) --python-version 3.11 --python-platform x86_64-manylinux_2_28 locks/aeneas.in -o locks/aeneas.txt,see above.)
	$(call step,writing locks/diarization-engines.txt,$(UV_COMPILE) --no-config $(ARGS) --python-version 3.11 --python-platform x86_64-manylinux_2_28 $(TORCH) \
		--excludes locks/diarization-engines-without.txt $(addprefix --no-emit-package ,$(NAMES)) \
		locks/diarization-engines.in $(addsuffix pyproject.toml,$(MEMBERS)) -o locks/diarization-engines.txt,see above.)
	$(call step,writing locks/triton.txt,$(UV_COMPILE) --no-config $(ARGS) --python-version 3.11 --python-platform x86_64-manylinux_2_35 \
		--excludes locks/triton-without.txt locks/triton.in -o locks/triton.txt,see above.)
	$(call step,resolving npm packages,for folder in . locks/lighthouse; do \
		npm install --prefix $$folder --omit-lockfile-registry-resolved --package-lock-only --loglevel=error && node tools/lock-without-addresses.js $$folder || exit 1; \
		done,see above.)

UV_COMPILE = $(UV) pip compile --quiet --no-header --no-annotate --generate-hashes
UV_LOCK = $(UV_LOCK_PLAIN) --all-extras
UV_LOCK_PLAIN = $(UV_COMPILE) --universal --python-version 3.11 $(addprefix --no-emit-package ,$(NAMES))
UV_LOCK_CUDA = $(UV_COMPILE) --no-config $(ARGS) --python-version 3.11 --python-platform x86_64-manylinux_2_28 $(addprefix --no-emit-package ,$(NAMES))
NAMES = $(shell sed -n 's/^name = "\(.*\)"/\1/p' $(addsuffix pyproject.toml,$(MEMBERS)))
# PyPI's torch is for GPUs, and large. The one for CPUs comes from where the machine's pip finds it, or from PyTorch's own index.
TORCH = $(if $(PIP_FIND_LINKS),--find-links $(PIP_FIND_LINKS),--torch-backend cpu)

##@ Ship

.PHONY: release-check
release-check: environment console sbom ## Check that what is here can be released: version, changelog, wheels in a clean environment, lists of packages.
	@$(BIN)/python -m tools.release $(ARGS)

PARTS ?=
VARIANT ?= cpu
BASE_IMAGE ?= python:3.11-bookworm
# The base that is made of Debian's packages where it is asked for by this name; images for GPUs need a compiler in theirs.
DEBIAN_BASE := localhost/maie-base
BASE = $(BASE_IMAGE)$(if $(filter $(DEBIAN_BASE),$(BASE_IMAGE)),$(COMPILER_$(VARIANT):%=-%))
COMPILER_cuda := compiler

.PHONY: images
images: engine $(if $(shell command -v npm),console) $(if $(filter $(DEBIAN_BASE),$(BASE_IMAGE)),mmdebstrap) ## Build an image of each part, or of PARTS="gateway asr"; VARIANT=cuda those for GPUs, BASE_IMAGE=localhost/maie-base from Debian's packages.
ifeq ($(BASE_IMAGE),$(DEBIAN_BASE))
	$(call step,making $(BASE) of Debian's packages,deploy/images/base.sh $(BASE) $(if $(COMPILER_$(VARIANT)),g++ libpython3-dev,libflite1),see above.)
endif
	@BASE_IMAGE=$(BASE) VARIANT=$(VARIANT) REGISTRY=$(REGISTRY) deploy/images/build.sh $(PARTS)

.PHONY: images-test
images-test: setup ## Start the mesh of deploy/compose.yaml from these images, send the demo's recording through it, stop it.
	@PATH=$(CURDIR)/$(BIN):$$PATH deploy/images/test.sh

# Where neither podman nor docker works, Debian's podman may.
.PHONY: engine
engine:
	@. deploy/images/engine.sh; [ -z "$$ENGINE" ] || exit 0; mkdir -p $(LOGS); \
		install="apt-get install --yes --no-install-recommends podman runc netavark iptables aardvark-dns"; \
		{ $$install || { apt-get update && $$install; }; } >$(LOGS)/$@.log 2>&1 \
		|| { tail -n 5 $(LOGS)/$@.log; echo "✗ neither podman nor docker is here, and podman could not be installed (on Debian, as root: apt install podman runc netavark iptables aardvark-dns)"; exit 1; } >&2; \
		. deploy/images/engine.sh; [ -n "$$ENGINE" ] && echo "· installed podman" \
		|| { echo "✗ podman is installed, and cannot run a container here" >&2; exit 1; }

.PHONY: mmdebstrap
mmdebstrap:
ifeq ($(shell command -v mmdebstrap),)
	@mkdir -p $(LOGS); install="apt-get install --yes --no-install-recommends mmdebstrap"; \
		{ $$install || { apt-get update && $$install; }; } >$(LOGS)/$@.log 2>&1 && echo "· installed mmdebstrap" \
		|| { tail -n 5 $(LOGS)/$@.log; echo "✗ mmdebstrap is missing and could not be installed (on Debian, as root: apt install mmdebstrap)"; exit 1; } >&2
endif

##@ Set up

.PHONY: setup
setup: environment $(MODELS:%=$(BIN)/.model-%) $(if $(shell command -v npm),console) ## Make the .venv with everything in it and fetch the models; the other targets do this by themselves.
	@:

.PHONY: environment
environment: $(BIN)/.members
	@:

# A model whose files are gone is fetched again, whatever its stamp says.
$(foreach model,$(MODELS) $(TEST_MODELS),$(if $(wildcard $(MAIE_MODELS_DIR)/$(model)/maie-manifest.json),,$(eval .PHONY: $(BIN)/.model-$(model))))

$(addprefix $(BIN)/.model-,$(MODELS) $(TEST_MODELS)): $(BIN)/.model-%: libs/cli/maie_cli/models/catalogue.py | $(BIN)/.members
	@$(BIN)/maie models pull $* >/dev/null || { echo "✗ the model $* could not be fetched: see above; MAIE_MODELS_FROM=FOLDER takes it from a folder, MODELS= does without." >&2; exit 1; }
	@touch $@

$(BIN)/.uv: locks/uv.txt
	@test -n "$(PYTHON)" || { echo "✗ maie needs Python 3.11 or newer, and none was found; PYTHON=/path/to/python names one." >&2; exit 1; }
	$(call step,making .venv,$(PYTHON) -m venv --without-pip .venv,Python's venv module does not work here (on Debian: apt install python3-venv).)
	$(call step,installing uv,$(PYTHON) -m pip --disable-pip-version-check --python $(BIN)/python install --quiet --require-hashes -r $<,pip could not fetch the pinned uv; is the package index reachable?)
	@touch $@

$(BIN)/.locked: locks/workspace.txt $(BIN)/.uv
	$(call step,installing the locked packages (369 MB of them are downloaded where uv has none yet),$(UV) pip install --quiet --require-hashes -r $<,see above; is the package index reachable?)
	@touch $@

$(BIN)/.members: $(BIN)/.locked $(addsuffix pyproject.toml,$(MEMBERS))
	$(call step,installing the workspace's members,$(UV) pip install --quiet --no-deps $(addprefix -e ./,$(MEMBERS:/=)) && $(UV) pip check,a member needs what the locks do not hold: run make lock.)
	@touch $@

.venv-vllm/.locked: locks/vllm.txt $(BIN)/.uv
	$(call step,making .venv-vllm,$(UV) venv --quiet --clear --no-python-downloads --python 3.11 .venv-vllm,vLLM's environment needs Python 3.11.)
	$(call step,installing vLLM for CPUs,$(UV) pip install --quiet --python $(VLLM)/python --no-deps --require-hashes --compile-bytecode $(TORCH) -r $<,see above; is the package index reachable?)
	@touch $@

.venv-vllm/.members: .venv-vllm/.locked $(addsuffix pyproject.toml,$(MEMBERS))
	$(call step,installing the workspace's members beside vLLM,$(UV) pip install --quiet --python $(VLLM)/python --no-deps $(addprefix -e ./,$(MEMBERS:/=)),see above.)
	@touch $@

.venv-diarization-engines/.locked: locks/diarization-engines.txt $(BIN)/.uv
	$(call step,making .venv-diarization-engines,$(UV) venv --quiet --clear --no-python-downloads --python 3.11 .venv-diarization-engines,The engines need Python 3.11.)
	$(call step,installing the diarization engines for CPUs,$(UV) pip install --no-config --quiet --python .venv-diarization-engines/bin/python --no-deps --require-hashes --compile-bytecode $(TORCH) -r $<,see above; is the package index reachable?)
	@touch $@

.venv-diarization-engines/.members: .venv-diarization-engines/.locked $(addsuffix pyproject.toml,$(MEMBERS))
	$(call step,installing the workspace's members beside them,$(UV) pip install --quiet --python .venv-diarization-engines/bin/python --no-deps $(addprefix -e ./,$(MEMBERS:/=)),see above.)
	@touch $@

.venv-audit/.locked: locks/audit.txt $(BIN)/.uv
	$(call step,making .venv-audit,$(UV) venv --quiet --clear --no-python-downloads --python $(BIN)/python .venv-audit,see above.)
	$(call step,installing pip-audit and cyclonedx-bom,$(UV) pip install --quiet --python .venv-audit/bin/python --no-deps --require-hashes -r $<,see above; is the package index reachable?)
	@touch $@

.venv-checkov/.locked: locks/checkov.txt $(BIN)/.uv
	$(call step,making .venv-checkov,$(UV) venv --quiet --clear --no-python-downloads --python $(BIN)/python .venv-checkov,see above.)
	$(call step,installing checkov,$(UV) pip install --quiet --python .venv-checkov/bin/python --no-deps --require-hashes -r $<,see above; is the package index reachable?)
	@touch $@

.venv-docs/.locked: locks/docs.txt $(BIN)/.uv
	$(call step,making .venv-docs,$(UV) venv --quiet --clear --no-python-downloads --python $(BIN)/python .venv-docs,see above.)
	$(call step,installing MkDocs,$(UV) pip install --quiet --python .venv-docs/bin/python --no-deps --require-hashes -r $<,see above; is the package index reachable?)
	@touch $@

.venv-peers/.locked: locks/peers.txt $(BIN)/.uv
	$(call step,making .venv-peers,$(UV) venv --quiet --clear --no-python-downloads --python 3.11 .venv-peers,The other products need Python 3.11.)
	$(call step,installing other products,$(UV) pip install --no-config --quiet --python .venv-peers/bin/python --no-deps --require-hashes $(TORCH) -r $<,see above; is the package index reachable?)
	@touch $@

.venv-triton/.locked: locks/triton.txt $(BIN)/.uv
	$(call step,making .venv-triton,$(UV) venv --quiet --clear --no-python-downloads --python 3.11 .venv-triton,Triton's Python backend needs Python 3.11 with libpython3.11.)
	$(call step,installing Triton,$(UV) pip install --no-config --quiet --python .venv-triton/bin/python --no-deps --require-hashes -r $<,see above; is the package index reachable?)
	@touch $@

.venv-diarization/.locked: locks/diarization-peers.txt $(BIN)/.uv
	$(call step,making .venv-diarization,$(UV) venv --quiet --clear --no-python-downloads --python 3.11 .venv-diarization,The other products need Python 3.11.)
	$(call step,installing other products,$(UV) pip install --no-config --quiet --python .venv-diarization/bin/python --no-deps --require-hashes $(TORCH) -r $<,see above; is the package index reachable?)
	@touch $@

.venv-alignment-peers/.locked: locks/alignment-peers.txt $(BIN)/.uv
	$(call step,making .venv-alignment-peers,$(UV) venv --quiet --clear --no-python-downloads --python 3.11 .venv-alignment-peers,The other products need Python 3.11.)
	$(call step,installing other products,$(UV) pip install --no-config --quiet --python .venv-alignment-peers/bin/python --no-deps --require-hashes $(TORCH) -r $<,see above; is the package index reachable?)
	@touch $@

# Its build needs what the environment has, and a C compiler. It speaks by the program espeak-ng, and not by a library of the older eSpeak.
.venv-aeneas/.locked: locks/aeneas.txt locks/aeneas-source.txt $(BIN)/.uv
	$(call step,making .venv-aeneas,$(UV) venv --quiet --clear --no-python-downloads --python 3.11 .venv-aeneas,aeneas needs Python 3.11.)
	$(call step,installing what aeneas needs,$(UV) pip install --no-config --quiet --python .venv-aeneas/bin/python --no-deps --require-hashes -r $<,see above; is the package index reachable?)
	$(call step,building aeneas,AENEAS_WITH_CEW=False $(UV) pip install --no-config --quiet --python .venv-aeneas/bin/python --no-deps --no-build-isolation --require-hashes -r locks/aeneas-source.txt,see above; is there a C compiler?)
	@touch $@

node_modules/.installed: package.json package-lock.json .npmrc
	@command -v npm >/dev/null || { echo "✗ buf and the console need npm, and npm was not found; install Node.js." >&2; exit 1; }
	$(call step,installing the tools from npm,npm ci --loglevel=error,see above; is the npm registry reachable?)
	@touch $@

.lighthouse/.installed: locks/lighthouse/package.json locks/lighthouse/package-lock.json .npmrc
	$(call step,installing Lighthouse from npm,mkdir -p .lighthouse && cp $^ .lighthouse && npm ci --prefix .lighthouse --loglevel=error,see above; is the npm registry reachable?)
	@touch $@

.PHONY: no-npm
no-npm:
	@echo "· npm was not found: the tests of the Node client and of the console will be skipped"

.PHONY: console
console: $(CONSOLE)/index.html ## Build the pages of the console from services/web/console, with npm.
	@:

$(CONSOLE)/index.html: node_modules/.installed $(shell find services/web/console -type f)
	$(call step,building the console,$(NPM)/vite build services/web/console,see above.)
	@touch $@

.PHONY: clean
clean: ## Remove everything that these targets made: environments, caches, local data.
	@rm -rf .venv .venv-audit .venv-checkov .venv-docs .venv-vllm .venv-peers .venv-diarization .venv-diarization-engines .venv-alignment-peers .venv-aeneas .venv-triton .lighthouse build/chart build/release build/sbom build/site $(CONSOLE) node_modules .cache .maie .mypy_cache .ruff_cache .pytest_cache .hypothesis uv.lock
	@find gateway libs services tests bench tools \( -name __pycache__ -o -name '*.egg-info' \) -prune -exec rm -rf {} + 2>/dev/null || true

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z%-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
