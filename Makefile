# One command for each thing you can do here. Each sets up what it needs; `make` alone lists them.

PYTHON ?= python3
REQUIREMENTS ?= requirements.txt
CHAPTERS ?= $(wildcard chapters/*.ipynb book/*.ipynb)

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# Workers as many as cores, each computing on one; a chapter's cells stay with one worker. Files
# begin in the order given: the site is built while other workers run chapters, and short files end.
PYTEST := TQDM_DISABLE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest --durations=15 \
	--numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
NOTEBOOKS := --nbval-lax --nbval-current-env $(CHAPTERS)

.PHONY: help book serve test test-slow test-real test-all test-oldest execute notebooks pdf bench lint clean publish-to

help:
	@echo "make book       build the site into _build/html"
	@echo "make serve      build it and serve it on this machine"
	@echo "make test       run the tests and every chapter, on the data that comes with the package"
	@echo "make test-all   run that, the tests that take long, and every chapter on the real data"
	@echo "make test-oldest  test the package with the oldest versions that pyproject.toml allows"
	@echo "make execute    run the chapters on the real data and store their outputs"
	@echo "                (CHAPTERS=chapters/01_etl.ipynb for some of them)"
	@echo "make notebooks  pack the chapters for students, and for teachers, into _build"
	@echo "make pdf        print the whole book as _build/lenet.pdf; this needs Chromium"
	@echo "                (SOLUTIONS=no leaves the solutions out)"
	@echo "make bench      run the measurements in bench/"
	@echo "make lint       check style, types, and which room imports which"
	@echo "make clean      delete what the commands above have made"
	@echo "make publish-to REPO=https://github.com/owner/name"
	@echo "                set the address under which the book is published"

# The environment is made anew only when one of these files is newer than the note left by the last.
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "The book needs Python 3.11 or newer; $(PYTHON) is older or missing."; \
		echo "Name another one with: make PYTHON=python3.13 ..."; exit 1; }
	@echo "Installing into $(VENV); PyTorch is large, so this takes some minutes."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r $(REQUIREMENTS)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

book: $(READY)
	$(BIN)/jupyter-book build . -W -n --keep-going --all --quiet

serve: book
	$(BIN)/python book/tools/serve.py _build/html

test: $(READY)
	LENET_OFFLINE=1 $(PYTEST) tests/book/test_site.py $(NOTEBOOKS) tests

test-all: test test-slow test-real

test-slow: $(READY)
	LENET_OFFLINE=1 $(PYTEST) -m slow tests/lenet_book/widgets/test_leaks.py tests

test-real: $(READY)
	LENET_REQUIRE_REAL=1 $(PYTEST) $(NOTEBOOKS)

# In an environment of its own: PyTorch of that time brings its own GPU libraries, 6 GB in all.
OLDEST := build/oldest
TEST_TOOLS := ^(beautifulsoup4|hypothesis|playwright|pytest|pytest-timeout)==
test-oldest:
	$(PYTHON) -m venv $(OLDEST)
	sed -nE 's/^ *"([a-z-]+)>=([0-9.]+)",$$/\1==\2/p' pyproject.toml > $(OLDEST)/versions.txt
	grep -E '$(TEST_TOOLS)' requirements.txt >> $(OLDEST)/versions.txt
	$(OLDEST)/bin/python -m pip install --quiet -r $(OLDEST)/versions.txt
	$(OLDEST)/bin/python -m pip install --quiet --no-deps --editable .
	LENET_OFFLINE=1 TQDM_DISABLE=1 OMP_NUM_THREADS=1 $(OLDEST)/bin/python -m pytest \
		tests/lenet tests/lenet_book/figures

execute: $(READY)
	$(BIN)/python book/tools/execute.py $(CHAPTERS)

notebooks: $(READY)
	$(BIN)/python book/tools/editions.py

pdf: book
	$(BIN)/python book/tools/printed.py $(if $(filter no,$(SOLUTIONS)),--no-solutions)

bench: book
	@for program in $(filter-out bench/%_weights.py bench/series.py,$(wildcard bench/*.py)); do \
		echo "$$program"; $(BIN)/python "$$program" || exit 1; done

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@if [ -x node_modules/.bin/tsc ]; then \
		echo "tsc --project tsconfig.json" && node_modules/.bin/tsc --project tsconfig.json; \
	elif command -v npm >/dev/null && npm ci --silent; then npm run --silent check; \
	else echo "The front ends of the widgets were not checked: that needs npm and its packages."; fi

# Neither make nor the shell reads what the address holds.
unexport REPO
publish-to: export ADDRESS = $(value REPO)
publish-to: $(READY)
	@$(BIN)/python book/tools/publish.py "$$ADDRESS"

clean:
	rm -rf _build build dist $(VENV) node_modules *.egg-info book/*.egg-info .benchmarks .hypothesis \
		.import_linter_cache .jupyter_cache .mypy_cache .pytest_cache .ruff_cache
	find . \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
