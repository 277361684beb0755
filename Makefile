# Everything runs from .venv, which every target makes when it is missing or out of date.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
# Processes that share the tests, each with a Kafka and a registry of its own: more than processors, for tests wait a lot.
WORKERS ?= 3

# The tests and the demo start hundreds of processes; without its cache each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo test lint bench reliability chaos

install: $(INSTALLED)

demo: install
	$(BIN)/clickstream demo --events 20000

test: install
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: install
	$(BIN)/ruff check && $(BIN)/ruff format --check && $(BIN)/mypy

bench: install
	$(BIN)/python -m benchmarks

reliability: install
	$(BIN)/python -m benchmarks.reliability

chaos: install
	$(BIN)/python -m benchmarks.chaos

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Python 3.11 or newer is needed, and "$(PYTHON)" is not that. Name one: make install PYTHON=python3.12' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@
