# `make help` lists what there is. The first interpreter that is 3.12 or newer builds .venv once.

PYTHON := $(shell for name in python3.13 python3.14 python3.12 python3 python; do \
	  path=$$(command -v $$name) && "$$path" -c 'import sys; sys.exit(sys.version_info < (3, 12))' \
	  2>/dev/null && echo "$$path" && break; done)
VENV := .venv/bin
# Each process of tests has a database and a Valkey of its own.
PARALLEL := -n auto
STAMP := .venv/installed
DEV_STAMP := .venv/installed-dev

.DEFAULT_GOAL := help
.PHONY: help serve test test-sqlite test-postgresql test-growth e2e e2e-again s3 chaos chaos-again chaos-long fuzz lint check format bench bench-peers vendor migrate shell messages

help: ## show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

.venv:
	@test -n "$(PYTHON)" || { echo "Licet needs Python 3.12 or newer, with venv. Install it (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python) and run make again."; exit 2; }
	@"$(PYTHON)" -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make virtual environments. Debian, Ubuntu: apt install python3-venv"; exit 2; }

$(STAMP): pyproject.toml | .venv
	@echo "Installing Licet into .venv"
	@$(VENV)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEV_STAMP): pyproject.toml | .venv
	@echo "Installing Licet and its test tools into .venv"
	@$(VENV)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(STAMP)

serve: $(STAMP) ## run everything on http://localhost:8000; Ctrl-C ends it
	@exec $(VENV)/python manage.py serve

test: $(DEV_STAMP) ## run every test without a browser on SQLite, and what uses a database on PostgreSQL too
	@echo "On SQLite:" && TEST_DATABASE=sqlite $(VENV)/python -m pytest $(PARALLEL) -m "not e2e and not chaos and not s3 and not growth"
	@echo "On PostgreSQL:" && TEST_DATABASE=postgresql $(VENV)/python -m pytest $(PARALLEL) -m "database and not e2e and not chaos and not s3 and not growth"

test-sqlite: $(DEV_STAMP) ## its first half only
	@TEST_DATABASE=sqlite $(VENV)/python -m pytest $(PARALLEL) -m "not e2e and not chaos and not s3 and not growth"

test-postgresql: $(DEV_STAMP) ## its second half only
	@TEST_DATABASE=postgresql $(VENV)/python -m pytest $(PARALLEL) -m "database and not e2e and not chaos and not s3 and not growth"

test-growth: $(DEV_STAMP) ## explain every statement on 200,000 seeded messages (GROWTH_MESSAGES=...), on PostgreSQL
	@TEST_DATABASE=postgresql $(VENV)/python -m pytest -m growth tests/growth

e2e: $(DEV_STAMP) ## run real processes, the journeys of people and axe-core on every screen; needs Chromium
	@$(VENV)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m e2e tests/e2e

e2e-again: $(DEV_STAMP) ## run those journeys once more that failed, one after the other
	@$(VENV)/python -m pytest -m e2e --last-failed --last-failed-no-failures none tests/e2e

s3: $(DEV_STAMP) ## store files on a real S3 server; needs Debian's ceph-mon, ceph-osd and radosgw
	@$(VENV)/python -m pytest -m "s3 and not long"

chaos: $(DEV_STAMP) ## kill, stop and flush real processes, and count what is lost; 4 minutes
	@$(VENV)/python -m tests.chaos

chaos-again: $(DEV_STAMP) ## repeat the scenes that were broken the last time, by themselves
	@$(VENV)/python -m tests.chaos again

chaos-long: $(DEV_STAMP) ## the same with more of everything, and random faults (SEED=... repeats them)
	@$(VENV)/python -m tests.chaos long
	@$(VENV)/python -m pytest -m "s3 and long"

fuzz: $(DEV_STAMP) ## call every operation in every way its document says, and in others
	@$(VENV)/python -m tests.fuzz

lint: $(DEV_STAMP) ## ruff, mypy, import contracts, missing migrations
	@$(VENV)/ruff format --check --quiet .
	@$(VENV)/ruff check --quiet .
	@$(VENV)/mypy --no-error-summary .
	@$(VENV)/lint-imports --no-cache > .venv/imports.log || { cat .venv/imports.log; exit 1; }
	@SECRET_KEY=lint DATA_DIR=.venv/lint $(VENV)/python manage.py makemigrations --check --dry-run
	@SECRET_KEY=lint DATA_DIR=.venv/lint $(VENV)/python manage.py spectacular --validate --fail-on-warn --file .venv/schema.yml

check: lint test ## what has to be clean before a commit

format: $(DEV_STAMP) ## let ruff format and sort
	@$(VENV)/ruff format --quiet .
	@$(VENV)/ruff check --quiet --fix .

messages: $(DEV_STAMP) ## collect the texts of the pages, and compile their German; needs gettext
	@SECRET_KEY=lint DATA_DIR=.venv/lint $(VENV)/python manage.py makemessages --locale de --no-obsolete \
	  --no-wrap --add-location file --ignore 'tests/*' --ignore 'bench/*' --ignore docs --verbosity 0
	@cd web/locale/de/LC_MESSAGES && msgfmt --check-format --output-file django.mo django.po

bench: $(DEV_STAMP) ## measure every target for three rounds, and write one table; 15 minutes at most
	@$(VENV)/python -m bench

bench-peers: $(DEV_STAMP) ## the same posts to awaithumans from PyPI, beside ours
	@$(VENV)/python -m bench.peers

vendor: $(DEV_STAMP) ## fetch the browser's libraries and icons again; needs npm, for maintainers
	@$(VENV)/python -m web.vendor

migrate: $(STAMP) ## bring the database up to date
	@$(VENV)/python manage.py migrate

shell: $(STAMP) ## a Python shell with the models loaded
	@$(VENV)/python manage.py shell
