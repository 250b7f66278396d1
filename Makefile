# What a developer or operator runs. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV := .venv
PYTHON := $(VENV)/bin/python
UV := $(VENV)/bin/uv
# The environment is up to date when the stamp is newer than the lock.
STAMP := $(VENV)/.locked
DEV_STAMP := $(VENV)/.locked-dev
# The process that fills it; there after a set-up that was killed.
UNFINISHED := $(VENV)/.unfinished
CLI := $(VENV)/bin/tanso

export GX_ANALYTICS_ENABLED := False
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.PHONY: help setup run up down test test-deploy test-kills test-long lint format lock clean ingest evaluate propose approve summary explain purge backfill dbt docs bench bench-ingest

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'
	@echo
	@echo "  TANSO_HOME=<folder>       where inbox, lake, marts and payout files are stored (var/ unless set)"
	@echo "  TANSO_AS_OF=YYYY-MM-DD    the day that decides what is payable (today unless set; no future day)"
	@echo "  TANSO_APPROVED_BY=<name>  lets make run issue what is due, approved by that person"

setup: $(STAMP)  ## the locked environment in .venv

# The lock names every package, so none is looked for besides (pip, with hashes, stumbles over extras when it does).
$(STAMP): requirements.txt pyproject.toml
	@if test -e $(UNFINISHED); then \
		if ps -o stat= -p "$$(cat $(UNFINISHED))" 2>/dev/null | grep -q '^[^Z]'; then \
			echo "Process $$(cat $(UNFINISHED)) is filling $(VENV); wait for it to end. If it is no make: rm -r $(VENV)"; exit 1; \
		fi; \
		echo "$(VENV) was left half filled; it is made from scratch"; rm -rf $(VENV); \
	fi
	@mkdir -p $(VENV) && echo $$PPID >$(UNFINISHED)
	@test -x $(PYTHON) || python3 -m venv $(VENV)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@test -x $(UV) || $(PYTHON) -m pip install --quiet --require-hashes -r requirements-uv.txt \
		|| echo "uv is not available, installing with pip"
	@if test -x $(UV); then \
		$(UV) pip install --quiet --python $(PYTHON) --require-hashes --compile-bytecode -r requirements.txt \
			|| $(PYTHON) -m pip install --quiet --no-deps --require-hashes -r requirements.txt; \
	else $(PYTHON) -m pip install --quiet --no-deps --require-hashes -r requirements.txt; fi
	@$(PYTHON) -m pip install --quiet --no-index --no-deps --no-build-isolation --editable .
	@touch $@ && rm $(UNFINISHED)

# Tests and tools, when they are asked for.
$(DEV_STAMP): $(STAMP) requirements-dev.txt
	@if test -x $(UV); then \
		$(UV) pip install --quiet --python $(PYTHON) --require-hashes --compile-bytecode -r requirements-dev.txt; \
	else $(PYTHON) -m pip install --quiet --no-deps --require-hashes -r requirements-dev.txt; fi
	@touch $@

run: setup  ## ingest, evaluate, propose and (sample only, or TANSO_APPROVED_BY) issue, in Airflow
	@$(PYTHON) -m tanso.local.headless

up: setup  ## Airflow with its UI on this machine, until make down; TANSO_USERS=<name>:<role>,…
	@$(PYTHON) -m tanso.local.console up

down: setup  ## end the Airflow of make up
	@$(PYTHON) -m tanso.local.console down

ingest: setup  ## load the files of the inbox into the lake
	@$(CLI) ingest

evaluate: setup  ## build the marts and publish them when every check passes; FORCE=1 builds all of them from scratch
	@$(CLI) evaluate $(if $(FORCE),--force)

propose: setup  ## work out what is due; [DESPITE_FAILED_SOURCES=1] also without the files of a failed source
	@$(CLI) propose $(if $(DESPITE_FAILED_SOURCES),--despite-failed-sources)

approve: setup  ## list what waits; PROPOSAL=<id> BY=<name> issues one
	@$(CLI) approve $(if $(PROPOSAL),"$$PROPOSAL" --by "$$BY")

summary: setup  ## what was received, what was refused, what is due, where it is
	@$(CLI) summary

explain: setup  ## PARTICIPANT=<id> [PERIOD=<id>] [JSON=1]: why they got what they got, down to file and row
	@$(CLI) explain "$$PARTICIPANT" $(if $(PERIOD),--period "$$PERIOD") $(if $(JSON),--json)

docs: setup  ## what every mart and column means and comes from: reports/dbt_docs.html
	@$(PYTHON) -m tanso.reports.dbt_docs

purge: setup  ## personal data past their retention; [AS_OF=YYYY-MM-DD] [APPLY=1] erases them
	@$(CLI) purge $(if $(AS_OF),--as-of "$$AS_OF") $(if $(APPLY),--apply)

backfill: setup  ## AS_OF=YYYY-MM-DD [PROGRAM=<id>] [PERIOD=<id>]: the marts as they were, next to the published ones
	@$(CLI) backfill "$$AS_OF" $(if $(PROGRAM),--program "$$PROGRAM") $(if $(PERIOD),--period "$$PERIOD")

dbt: setup  ## ARGS="build --select +fct_payouts": any dbt command on scratch files, for who changes a rule
	@$(CLI) dbt $(ARGS)

bench-ingest: setup  ## [ROWS=<n>]: a national month from landing to lake, against the floor of decoding and writing it; FILES=<n>: many small files
	@$(PYTHON) -m benchmarks.ingest --rows $(or $(ROWS),660000) $(if $(FILES),--files $(FILES))

bench: setup  ## [PARTICIPANTS=<n>] [SIZES="<n> <n>"]: all benchmarks, next to floors and peers
	@$(UV) pip install --quiet --python $(PYTHON) --target $(VENV)/peers --require-hashes -r requirements-bench.txt \
		|| echo "polars and PySpark cannot be installed here: na"
	@$(PYTHON) -m benchmarks --participants $(or $(PARTICIPANTS),100000) $(if $(SIZES),--sizes $(SIZES))

lint: $(DEV_STAMP)  ## ruff, sqlfluff, the floors of the house (import-linter) and types (mypy)
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/sqlfluff lint --disable-progress-bar dbt_project/macros dbt_project/models dbt_project/tests include/tanso benchmarks
	@$(VENV)/bin/lint-imports --no-cache --no-logo
	@$(VENV)/bin/mypy

test: lint  ## lint, then all tests but those of test-deploy, in two processes
	@$(PYTHON) -m pytest -q -n 2 --no-loadscope-reorder --ignore=tests/deploy --ignore=tests/browser --ignore=tests/kills

test-deploy: $(DEV_STAMP)  ## the services of docker-compose.yaml as processes, a worker lost; make up, in a browser
	@$(PYTHON) -m pytest -q tests/deploy tests/browser

test-kills: $(DEV_STAMP)  ## [KILLS=<n>] [SEED=<n>]: make run killed with -9 at n (50) random moments, then run again
	@KILLS=$(or $(KILLS),50) SEED=$(or $(SEED),20261128) $(PYTHON) -m pytest -q -rP tests/kills

test-long: $(DEV_STAMP)  ## [EXAMPLES=<n>]: what is paid, in n (500) random histories, then test-kills
	@EXAMPLES=$(or $(EXAMPLES),500) $(PYTHON) -m pytest -q tests/payouts/test_properties.py
	@$(MAKE) --no-print-directory test-kills

format: $(DEV_STAMP)  ## let ruff rewrite what it can
	@$(VENV)/bin/ruff check --fix --quiet .
	@$(VENV)/bin/ruff format .

# What the lock files hold of each package: its version, and the hash of every file that may be installed.
COMPILE := $(UV) pip compile --python-version 3.11 --universal --generate-hashes --no-emit-index-url \
	--no-emit-find-links --quiet

lock: setup  ## resolve requirements*.in into requirements*.txt
	@$(COMPILE) requirements.in -o requirements.txt
	@$(COMPILE) requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) requirements-bench.in -o requirements-bench.txt
	@$(COMPILE) requirements-uv.in -o requirements-uv.txt

clean:  ## remove build leftovers (never data)
	@rm -rf dbt_project/target dbt_project/logs .pytest_cache .ruff_cache .mypy_cache
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
