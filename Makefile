# Two commands do everything on a fresh machine: `make demo` and `make test`. Both first make .venv and install parkex into it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.parkex-installed
INSTALLED_DEV := $(VENV)/.parkex-installed-dev
INSTALLED_PROFILES := $(VENV)/.parkex-installed-profiles
WORKERS ?= 2
ARGS ?=

.PHONY: help install install-dev demo test soak check bench profiles browser wheel clean

help:
	@echo 'make demo      play one park day on the exchange and settle it (ARGS="--speed max" is passed on)'
	@echo 'make test      the bounded test suite, under 10 minutes'
	@echo 'make soak      the long campaigns'
	@echo 'make check     ruff, mypy, import contracts'
	@echo 'make bench     the benchmarks, each with its workload (a few minutes)'
	@echo 'make profiles  derive the year of profiles again from its sources'
	@echo 'make install   only make .venv and install parkex into it'
	@echo 'make wheel     build the wheel into dist/'
	@echo 'make clean     remove .venv and what was built'

# An interpreter that is new enough and can make environments; PYTHON=/path/to/python3 chooses another.
$(BIN)/python:
	@python="$${PYTHON:-}"; \
	for candidate in $${PYTHON:-python3 python3.13 python3.12 python3.11}; do \
	  if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python="$$candidate"; break; fi; \
	  python=""; \
	done; \
	if [ -z "$$python" ]; then \
	  echo 'parkex needs Python 3.11 or newer with its venv module.' >&2; \
	  echo "Found: $$(python3 --version 2>&1 || true)" >&2; \
	  echo 'On Debian or Ubuntu: apt-get install python3 python3-venv. Or name another: make PYTHON=/path/to/python3' >&2; \
	  exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$python --version)"; \
	"$$python" -m venv $(VENV)

# pip is quiet when all goes well; the lines before it say what takes the time.
$(INSTALLED): pyproject.toml | $(BIN)/python
	@echo 'Installing parkex and its libraries into $(VENV) (a minute or two the first time)'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(INSTALLED_DEV): pyproject.toml | $(BIN)/python
	@echo 'Installing parkex with its test tools into $(VENV) (a minute or two the first time)'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(INSTALLED)

$(INSTALLED_PROFILES): pyproject.toml | $(BIN)/python
	@echo 'Installing the models that derive profiles into $(VENV)'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[profiles]'
	@touch $@

install: $(INSTALLED)
install-dev: $(INSTALLED_DEV)

demo: $(INSTALLED)
	@$(BIN)/parkex demo $(ARGS)

browser:
	@bash .ci/install-browser

test: $(INSTALLED_DEV) browser
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -q $(ARGS)

soak: $(INSTALLED_DEV)
	@$(BIN)/python -m pytest -m soak $(ARGS)

check: $(INSTALLED_DEV)
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(INSTALLED_DEV)
	@PARKEX_BENCH_MESSAGES=200000 $(BIN)/python -m pytest -q tests/bench/test_benchmarks.py --benchmark-only
	@$(BIN)/python -m bench.matching --stream 1
	@$(BIN)/python -m bench.matching --stream 2
	@$(BIN)/python -m bench.matching --stream mixed-day
	@$(BIN)/python -m bench.embedding
	@$(BIN)/python -m bench.order_path
	@$(BIN)/python -m bench.replay
	@$(BIN)/python -m bench.scale
	@$(BIN)/python -m bench.auctions
	@$(BIN)/python -m bench.journal
	@$(BIN)/python -m bench.registry
	@$(BIN)/python -m bench.metering
	@$(BIN)/python -m bench.value_chain --days 30
	@$(BIN)/python -m bench.simulation --days 30 --sweep-days 40
	@$(BIN)/python -m bench.startup

profiles: $(INSTALLED_PROFILES)
	@$(BIN)/python -m clients.scenarios.derive $(ARGS)

wheel: $(INSTALLED_DEV)
	@$(BIN)/python -m build --wheel

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .benchmarks
