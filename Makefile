# Everything one does with this project; `make help` lists it.
# A machine needs Python 3.11+, git and make; the rest is installed into the checkout, pinned by hash.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
DATA ?= var

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
VENDOR := static/vendor/manifest.json
CATALOGUE := catalog/translations/en/LC_MESSAGES/messages
COMPILED := $(CATALOGUE).mo

export CATALOG_HOST ?= $(HOST)
export CATALOG_PORT ?= $(PORT)
export CATALOG_DATA_DIR ?= $(DATA)
export CATALOG_BASE_URL ?= http://$(HOST):$(PORT)

.DEFAULT_GOAL := help
.PHONY: help install run test check format messages bench soak relevance wheel lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

$(STAMPS)/run: requirements.lock pyproject.toml deploy/install.sh
	@PYTHON="$(PYTHON)" sh deploy/install.sh requirements.lock
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: requirements-dev.lock pyproject.toml deploy/install.sh
	@PYTHON="$(PYTHON)" sh deploy/install.sh requirements-dev.lock
	@mkdir -p $(STAMPS) && touch $@ $(STAMPS)/run

$(VENDOR): package-lock.json deploy/vendor.py deploy/icons.txt | $(STAMPS)/run
	@$(BIN)/python deploy/vendor.py
	@touch $@

$(STAMPS)/vendor-dev: package-lock.json deploy/vendor.py deploy/icons.txt | $(STAMPS)/dev
	@$(BIN)/python deploy/vendor.py --dev
	@touch $(VENDOR) $@

$(COMPILED): $(CATALOGUE).po | $(STAMPS)/run
	@$(BIN)/pybabel -q compile -d catalog/translations

install: $(STAMPS)/run $(VENDOR) $(COMPILED) ## install what running needs

run: install ## start the catalog with the demo data on http://HOST:PORT (HOST, PORT, DATA override)
	@exec $(BIN)/catalog serve --demo

test: $(STAMPS)/dev $(STAMPS)/vendor-dev $(COMPILED) ## run the whole test suite, the browser's part included
	@sh deploy/browser.sh
	$(BIN)/pytest -n 2 --dist loadgroup -q

check: $(STAMPS)/dev $(STAMPS)/vendor-dev $(COMPILED) ## formatter, linter, types, import contracts, templates, message catalogues
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/python deploy/messages.py --check

format: $(STAMPS)/dev ## put code into the house's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

messages: $(STAMPS)/dev ## bring the message catalogues up to the texts in code and templates
	$(BIN)/python deploy/messages.py

bench: $(STAMPS)/dev $(VENDOR) $(COMPILED) ## measure speed against SQLite FTS5 and tantivy on the same texts
	$(BIN)/python -m bench.run
	$(BIN)/python -m bench.engine

relevance: $(STAMPS)/dev ## measure how good the search's answers are
	$(BIN)/python -m bench.relevance.run

soak: $(STAMPS)/dev $(VENDOR) $(COMPILED) ## long crash, load and fuzz runs
	$(BIN)/pytest -q -m soak --override-ini addopts="-ra" tests

wheel: $(STAMPS)/dev $(VENDOR) $(COMPILED) ## build the wheel into dist/
	$(BIN)/python -m build --wheel --no-isolation

lock: $(STAMPS)/dev ## write the lock files anew: versions and hashes, no addresses
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --upgrade --extra postgres --group build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --upgrade --extra postgres --group dev pyproject.toml -o requirements-dev.lock

clean: ## remove what was installed and built, but never the data folder
	rm -rf $(VENV) node_modules static/vendor static/dist dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
