# One entry point for people and for CI. Every target sets itself up; nothing outside the repository is touched.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup env demo gate pages up down doctor test check check-format check-lint check-types check-pages format faults soak bench scale mutants rehearse-backfill \
	docs lock clean

PY := .venv/bin/python
# For the project's own modules. `env` prints what the Airflow command line needs.
RUN := PYTHONPATH="$(CURDIR)$${PYTHONPATH:+:$$PYTHONPATH}" PYTHONDONTWRITEBYTECODE= $(PY)
# A file stays with one process: its tests share the night they look at.
TWO := -n 2 --dist loadfile

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/; s/\$$\$$/$$/g' | expand -t 19

setup: ## make .venv with everything pinned (PYTHON=… picks the interpreter)
	@scripts/setup

env: setup ## print the export lines for running Airflow by hand: eval "$$(make -s env)"
	@$(RUN) -m include.airflow.environment

demo: setup ## three nights of a shop through Airflow, against the sandbox, in about a minute
	@$(RUN) -m include.commands.demo

gate: setup ## a night that a bug has spoiled, stopped by the money gate with its question
	@$(RUN) -m include.commands.gate

pages: setup ## look at the last night of `make demo` in Airflow's own pages (PORT=8080); Ctrl-C stops them
	@$(RUN) -m include.commands.pages

up: setup ## Airflow with the sandbox beside it, for clicking around (PORT=8080); Ctrl-C stops everything
	@$(RUN) -m include.commands.up

down: setup ## stop what `make up` started in another terminal
	@$(RUN) -m include.commands.up --stop

doctor: setup ## find out what a night would meet, without sending anything live (DOCTOR=--json)
	@eval "$$($(RUN) -m include.airflow.environment)" && $(RUN) -m include.commands.doctor $(DOCTOR)

test: check ## all that a change has to pass, as CI asks for it: check, then the tests, two files at a time
	@$(RUN) -m pytest $(TWO)

check: check-format check-lint check-types check-pages ## what needs no run, in half a minute: format, lint, types, generated pages

check-format: setup
	@$(RUN) -m ruff format --check .

check-lint: setup
	@$(RUN) -m ruff check .

check-types: setup
	@$(RUN) -m mypy

check-pages: setup
	@$(RUN) -m lab.docs --check

format: setup ## format and fix what can be fixed
	@$(RUN) -m ruff format .
	@$(RUN) -m ruff check --fix .

faults: setup ## stop, kill and cut every step of a night, and show what became of each
	@$(RUN) -m pytest tests/faults -s

soak: setup ## play new random histories, fair and stormy, for an hour (SOAK_SECONDS=3600 SOAK_WAREHOUSE=duckdb)
	@SOAK_SECONDS="$${SOAK_SECONDS:-3600}" $(RUN) -m tests.model.soak

bench: setup ## the benchmark, with its peer side by side (BENCH="--sizes 10k,1m")
	@$(RUN) -m lab.bench $(BENCH)

scale: setup ## Airflow with two Celery workers, PostgreSQL and Redis on this machine; Ctrl-C stops everything
	@$(RUN) -m lab.scale up --port $${PORT:-8080}

mutants: setup ## plant small mistakes in the rules, the SQL and chosen modules, and show which no test notices (MUTANTS="plan.sql --minutes 20")
	@$(RUN) -m lab.mutants $(MUTANTS)

rehearse-backfill: setup ## a month's backfill beside the nightly run, in a real scheduler against the sandbox; ends with CJ against the warehouse
	@$(RUN) -m lab.rehearse_backfill

docs: setup ## write every generated page, from what each says it comes from
	@$(RUN) -m lab.docs

lock: setup ## pin requirements.in and requirements-dev.in anew
	@scripts/lock

clean: ## remove what runs and tests left behind; .venv stays
	@rm -rf .airflow .run .pytest_cache .ruff_cache .mypy_cache .hypothesis bench-out
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
