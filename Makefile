# Everything happens inside this folder: the virtual environment in .venv, what is built in build.
# Paths are relative, so the folder's own path may contain spaces.

PY := .venv/bin/python
SERVER := $(PY) -m symphony_pg.server
SQL_TESTS := $(PY) tools/run_sql_tests.py
MAJORS := 15 16 17 18
# Arguments for one target: make test-sql ARGS=sql/tests/claim; make test-python ARGS="-k worker"
ARGS :=
# Processes that share the Python tests, each with a server of its own; a few tests need one.
PROCESSES := $(if $(ARGS),0,2)

.DEFAULT_GOAL := help
.PHONY: help build demo demo-web test test-sql test-races test-python test-matrix access soak stress chaos bench sizes lint reference screenshots format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

.venv/dev.stamp: pyproject.toml tools/venv.sh
	@tools/venv.sh dev

.venv/embedded,http.stamp: pyproject.toml tools/venv.sh
	@tools/venv.sh embedded,http

.venv/embedded.stamp: pyproject.toml tools/venv.sh
	@tools/venv.sh embedded

build: ## join the SQL into build/symphony.sql and build/upgrade.sql
	@$(or $(wildcard $(PY)),python3) tools/build_sql.py

demo: .venv/embedded.stamp build ## the whole life of a message, on a PostgreSQL of its own
	@$(PY) -m symphony_pg.cli demo

demo-web: .venv/embedded,http.stamp build ## traffic that goes on, and the dashboard to watch it
	@$(PY) -m symphony_pg.cli demo --web $(ARGS)

test: test-sql test-races test-python lint ## all of the tests below but the matrix
	@echo "proved: Symphony does what its documentation says"

test-sql: .venv/dev.stamp ## pgTAP: every function keeps its contract, every query its plan
	@$(SQL_TESTS) --only sql $(ARGS)
	@echo "proved: the SQL functions keep their contracts and every invariant holds"

test-races: .venv/dev.stamp ## isolationtester: sessions that meet do not harm each other
	@$(SQL_TESTS) --only spec $(ARGS)
	@echo "proved: sessions that meet at a message do not harm each other"

test-python: .venv/dev.stamp build ## pytest: the Python client, worker and commands
	@$(SERVER) -- $(PY) -m pytest -n $(PROCESSES) --dist loadfile \
	    --junitxml=build/python-tests.xml $(ARGS)
	@echo "proved: the Python package adds mapping, loop and commands, and loses nothing"

test-matrix: .venv/dev.stamp build ## the tests on each supported major of PostgreSQL
	@set -e; for major in $(MAJORS); do \
	    PG_BIN="$$(PYTHONPATH=tools $(PY) -m fetch.postgres $$major)"; export PG_BIN; \
	    echo "PostgreSQL $$major"; \
	    $(SQL_TESTS); \
	    $(SERVER) -- $(PY) -m pytest -q -n $(PROCESSES) --dist loadfile; \
	done
	@echo "proved: the same on PostgreSQL $(MAJORS)"

access: .venv/dev.stamp build ## print who may do what: by SET ROLE, a wrapper and PgBouncer
	@$(SERVER) -- $(PY) -m pytest -q -s python/tests/campaigns/test_access_matrix.py
	@echo "proved: EXECUTE and the list of queues say the same in all three ways"

soak: .venv/dev.stamp build ## every message through every fault, for SOAK_SECONDS (600)
	@SOAK_SECONDS=$${SOAK_SECONDS:-600} $(SERVER) -- $(PY) -m pytest -q -s python/tests/campaigns/test_soak.py
	@echo "proved: whatever falls silent, crashes, is killed or forks, nothing is lost and nothing grows"

stress: .venv/dev.stamp build ## order and limits of 100,000 messages under every fault, a rate for a minute
	@RATE_SECONDS=60 STRESS_MESSAGES=$${STRESS_MESSAGES:-100000} STRESS_KEYS=$${STRESS_KEYS:-1000} \
	    $(SERVER) -- $(PY) -m pytest -q -s python/tests/campaigns/test_ordered.py \
	    python/tests/worker/test_rates.py $(ARGS)
	@echo "proved: per key each message once and in order, and no more in hands than may be"

chaos: .venv/dev.stamp build ## brokers: 20,000 messages and 50 faults for each of them, off for a minute
	@CHAOS_MESSAGES=$${CHAOS_MESSAGES:-20000} CHAOS_FAULTS=$${CHAOS_FAULTS:-50} \
	    OUTAGE_SECONDS=$${OUTAGE_SECONDS:-60} OUTAGE_MESSAGES=$${OUTAGE_MESSAGES:-3000} \
	    $(SERVER) -- $(PY) -m pytest -q -s python/tests/brokers/test_chaos.py \
	    python/tests/brokers/test_outage.py $(ARGS)
	@echo "proved: whatever is killed, each effect takes place once, and the rest has failed"

bench: .venv/dev.stamp build ## measure on a durable throw-away server
	@$(SERVER) -c fsync=on -c full_page_writes=on -c synchronous_commit=on -c max_wal_size=4GB -c checkpoint_timeout=1h \
	    -- $(PY) bench/run.py $(ARGS)
	@echo "proved: these numbers, on this machine"

sizes: .venv/dev.stamp build ## measure what looks at a million messages of each kind
	@$(SERVER) -c max_wal_size=4GB -c checkpoint_timeout=1h -c shared_buffers=512MB -c autovacuum=off \
	    -- $(PY) bench/sizes.py $(ARGS)
	@echo "proved: with 100 queues a look takes less than 50 ms, a page less than 100, however many messages there are"

lint: .venv/dev.stamp build ## ruff, mypy and the house rules of the SQL files
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --quiet --check --diff .
	@$(PY) -m mypy python tools $(wildcard bench examples)
	@$(PY) tools/lint_sql.py
	@echo "proved: formatted, typed, and within the house rules"

reference: .venv/dev.stamp build ## write docs/reference.md and docs/errors.md from the comments
	@$(SERVER) -- $(PY) tools/docs/reference.py

screenshots: .venv/dev.stamp build ## take the pictures of docs/dashboard.md
	@PYTHONPATH=tools $(SERVER) -- $(PY) -m docs.screenshots $(ARGS)

format: .venv/dev.stamp ## let ruff format and repair the Python files
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

clean: ## remove all that make has made
	@rm -rf .venv build dist python/symphony_pg/*.sql .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +
