# Two commands do everything: `make demo` and `make test`. Each sets itself up from nothing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := .venv-bench

.PHONY: demo test bench lock sbom clean

demo: $(READY)  ## three weeks of a Need to Know inbox on an embedded Microsoft 365
	$(BIN)/n2k demo --to demo

test: $(READY)  ## style, types and every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist loadfile

bench: $(READY) $(PEERS)/.ready  ## how fast and frugal, beside what people would use instead
	$(BIN)/python -m tests.benchmarks

$(PEERS)/.ready: tests/benchmarks/peers.lock
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

$(READY): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

lock:  ## pin everything afresh (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes \
		--no-emit-index-url --no-annotate --no-header pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --extra postgres --extra build --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --constraint requirements.lock pyproject.toml \
		--output-file deploy/requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header tests/benchmarks/peers.in --output-file tests/benchmarks/peers.lock

sbom:  ## every package of an installation with its version, as CycloneDX (needs uv)
	uvx --from cyclonedx-bom cyclonedx-py requirements deploy/requirements.lock --output-file sbom.json

clean:
	rm -rf $(VENV) $(PEERS) demo sbom.json .mypy_cache .ruff_cache .pytest_cache .hypothesis
