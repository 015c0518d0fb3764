# The two commands are `make run` and `make test`; `make install` is the set-up that both use.
.DEFAULT_GOAL := help
.PHONY: help install run test check format bench prove lock clean

PORT ?= 8000
PYTEST_ARGS ?= -n auto --maxprocesses 4
HOST ?= 127.0.0.1
PY := .venv/bin/python

help: ## say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/.installed: requirements.lock pyproject.toml deploy/install.sh
	@deploy/install.sh requirements.lock
	@touch $@

.venv/.installed-dev: requirements-dev.lock .venv/.installed
	@deploy/install.sh requirements-dev.lock
	@touch $@

install: .venv/.installed ## make the virtual environment with what the gateway needs

run: install ## install, migrate, seed and serve on PORT (default 8000)
	@GATEWAY_LOG_CALLS=true .venv/bin/llmgateway serve --host $(HOST) --port $(PORT)

test: .venv/.installed-dev ## install and pass every test
	@$(PY) -m pytest $(PYTEST_ARGS)

check: .venv/.installed-dev ## ruff, mypy, import contracts, migrations
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check -q .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@GATEWAY_DATA_DIR=$$(mktemp -d) $(PY) manage.py makemigrations --check --dry-run

format: .venv/.installed-dev ## put the code into the house's form
	@.venv/bin/ruff check -q --fix . ; .venv/bin/ruff format -q .

bench: .venv/.installed-dev ## compare with nginx, LiteLLM and Portkey on this machine
	@$(PY) -m benchmarks $(BENCH_ARGS)
	@$(PY) -m benchmarks.metering $(METERING_ARGS)

prove: .venv/.installed-dev ## try to overspend, to lose and to count twice: crowds, kills, outages (some seven minutes)
	@$(PY) -m tests.prove $(PROVE_ARGS)

lock: ## resolve the dependencies anew, with hashes and without addresses
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url -q pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url -q --extra dev pyproject.toml -o requirements-dev.lock

clean: ## remove the virtual environment and caches; data/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
