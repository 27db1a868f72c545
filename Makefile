# Each target does its own set-up; `make help` explains them.
SHELL := /bin/bash
PORT ?= 8000
export DATA_DIR ?= $(CURDIR)/var
MANAGE := .venv/bin/python manage.py
.DEFAULT_GOAL := help
.PHONY: help demo run test lint acceptance bench paper docs pictures clean

help:  ## explain the targets
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20
	@echo "  Variables: PORT (default 8000), DATA_DIR (default ./var), PYTHON (default: the first of 3.11 to 3.13)."

demo:  ## the whole product with a demonstration study (simulated), on http://127.0.0.1:$(PORT)
	@echo "Plaquelab demonstration. Research use only; all its data is simulated."
	@echo "This will: make .venv and install pinned packages (once), build the pages (once), migrate a database in $(DATA_DIR),"
	@echo "start the web server and the worker on port $(PORT), and send 8 phantom patients through upload, QC and analysis while you watch."
	@echo "First time: about 5 minutes to the first page, 10 to the last case, 2.5 GB of disk. Again: under 20 seconds. Ctrl-C ends everything."
	@.ci/setup run
	@PLAQUELAB_DEMONSTRATION=1 DATA_DIR=$(DATA_DIR) $(MANAGE) migrate --verbosity 0
	@PLAQUELAB_DEMONSTRATION=1 DATA_DIR=$(DATA_DIR) exec $(MANAGE) serve --port $(PORT) --demonstration

run:  ## serve without demonstration data
	@.ci/setup run
	@$(MANAGE) migrate --verbosity 0
	@exec $(MANAGE) serve --port $(PORT)

test:  ## everything CI runs: lint, types, Python, Vitest, browser, Redis and PostgreSQL
	@echo "Plaquelab tests: set-up (first time up to 12 minutes), then about 18 minutes on 2 cores."
	@.ci/setup dev
	@env -u DATA_DIR .venv/bin/python tests/run.py

lint:  ## ruff, mypy, import-linter, TypeScript
	@.ci/setup dev
	@env -u DATA_DIR .venv/bin/python tests/run.py --only lint

acceptance:  ## checks against the reference data in ../shared (fails without it)
	@.ci/setup dev
	@env -u DATA_DIR .venv/bin/python -m pytest tests/acceptance

bench:  ## measure everything (hours) and write docs/figures.md and both docs/validation-*.md anew
	@.ci/setup dev
	@echo "Hours on 2 cores; each part says what it does and keeps its figures in var/bench, so that an ended run goes on."
	@env -u DATA_DIR .venv/bin/python tests/bench/run.py
	@env -u DATA_DIR .venv/bin/python tests/bench/networks.py
	@env OMP_NUM_THREADS=1 .venv/bin/python -m inference calibrate --out var/bench/calibration.json
	@env -u DATA_DIR OMP_NUM_THREADS=1 .venv/bin/python tests/bench/certainty.py
	@env -u DATA_DIR OMP_NUM_THREADS=1 .venv/bin/python tests/bench/repeatability.py
	@for part in composition centrelines end_to_end; do \
	  env -u DATA_DIR .venv/bin/python tests/bench/$$part.py --scenario tree_test --first-seed 3000 || exit 1; done
	@env -u DATA_DIR .venv/bin/python tests/bench/stranger.py --scenario tree_test_wide --first-seed 3000
	@for part in quantify dicom_out phantoms; do \
	  env -u DATA_DIR OMP_NUM_THREADS=1 .venv/bin/python tests/bench/$$part.py || exit 1; done
	@env -u DATA_DIR .venv/bin/python tests/bench/validation.py
	@for part in analytics_speed analytics_coverage dashboard_pages analytics_validation; do \
	  env -u DATA_DIR .venv/bin/python tests/bench/$$part.py || exit 1; done

paper:  ## the published numbers of Lin et al. 2022 beside ours, line by line
	@.ci/setup run
	@.venv/bin/python -m analytics paper

docs:  ## the guides and the reference of both libraries as a site in var/docs (a warning is an error)
	@.ci/setup dev
	@env -u DATA_DIR .venv/bin/python tests/run.py --only docs
	@echo "Open var/docs/html/index.html"

pictures:  ## one picture per page and role into var/pictures, from a running demonstration on PORT; renews those that the docs show
	@.ci/setup dev
	@env -u DATA_DIR .venv/bin/python tests/browser/pictures.py --port $(PORT)

clean:  ## remove what was installed and built (never DATA_DIR)
	rm -rf .venv frontend/node_modules frontend/dist
