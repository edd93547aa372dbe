# `make run` starts Nightowl, `make test` checks it; both install what they need.

PYTHON ?= python3
TEST_HOME ?= var/test
BENCH_HOME ?= var/bench
BIN := .venv/bin
TEMPLATES := $(wildcard templates */templates)
IN_TEST_HOME = NIGHTOWL_HOME=$(TEST_HOME) $(BIN)/python -m supervisor exec --fast --
# Many tests wait for another process, so three of them run beside each other; and file by file in
# their order: else those of few long tests would all come last.
BESIDE = -n 3 --dist loadfile --no-loadscope-reorder
# What `check --deploy` and the schema are judged by: a deployment behind HTTPS.
DEPLOYED = DEBUG=false PUBLIC_URL=https://nightowl.example.org \
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))')

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test test-slow bench bench-large lint format openapi clean installed browser static \
	static-format static-lint static-templates static-imports static-types \
	static-deploy static-migrations static-schema

help: ## Show this
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 \t\2/p' Makefile | expand -t 20

run: ## Start everything and print the address; Ctrl-C stops it
	@$(PYTHON) bootstrap.py run

test: installed browser ## Lint, types, contracts, then all tests but the slow ones
	@$(IN_TEST_HOME) $(MAKE) --no-print-directory static
	@$(IN_TEST_HOME) $(BIN)/python -m pytest $(BESIDE) -m "not slow"

test-slow: installed browser ## The tests that take minutes
	@$(IN_TEST_HOME) $(BIN)/python -m pytest -n 2 --dist load -m slow || { code=$$?; \
		[ $$code -ne 5 ] || echo "No test is marked slow: that is a mistake."; exit $$code; }

bench: installed ## Measure indexing and search here, beside floors and a peer
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@NIGHTOWL_HOME=$(BENCH_HOME) $(BIN)/python -m supervisor exec -- $(BIN)/python -m bench $(PARTS)

bench-large: ## The same searches among a million passages; takes an hour and 15 GB the first time
	@$(MAKE) --no-print-directory bench PARTS=search-large

lint: installed ## Only what reads the code: format, lint, types, contracts, schema
	@$(IN_TEST_HOME) $(MAKE) --no-print-directory static

format: installed ## Put code and templates into the one format
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .
	@find $(TEMPLATES) -name '*.html' -print0 | xargs -0r $(BIN)/djade --target-version 5.2

openapi: installed ## Write docs/openapi.yaml anew
	@$(IN_TEST_HOME) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

clean: ## Remove caches and the home of the tests; var/ itself stays
	@if [ -L $(TEST_HOME)/postgres ]; then rm -rf "$$(readlink $(TEST_HOME)/postgres)"; fi
	@rm -rf $(TEST_HOME) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

installed:
	@$(PYTHON) bootstrap.py --dev

browser:
	@command -v chromium >/dev/null || { \
		export DEBIAN_FRONTEND=noninteractive; root=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); \
		echo "Installing chromium for the browser tests"; \
		$$root apt-get update -qq && $$root apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	} || { echo "The browser tests need chromium: install it and run this again."; exit 1; }

# --- What `make lint` runs, cheapest first ------------------------------------------------------

static: static-format static-lint static-templates static-imports static-types \
	static-deploy static-migrations static-schema

static-format:
	$(BIN)/ruff format --check --quiet .

static-lint:
	$(BIN)/ruff check --quiet .

static-templates:
	find $(TEMPLATES) -name '*.html' -print0 | xargs -0r $(BIN)/djade --check --target-version 5.2

static-imports:
	$(BIN)/lint-imports

static-types:
	$(BIN)/mypy

static-deploy:
	@$(DEPLOYED) $(BIN)/python manage.py check --deploy --fail-level WARNING

static-migrations:
	$(BIN)/python manage.py makemigrations --check --dry-run

static-schema:
	@$(DEPLOYED) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file $(TEST_HOME)/openapi.yaml
	diff -u docs/openapi.yaml $(TEST_HOME)/openapi.yaml
