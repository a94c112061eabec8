# `make help` lists the targets. Everything is installed into .venv; nothing else is touched.
VENV   := .venv
BIN    := $(VENV)/bin
BOOK   := _build/html
PLAIN  := _build/sphinx/venv
# make test NEWEST=1: the newest versions that pyproject.toml allows, not the locked ones.
NEWEST :=
LOCKED := -r requirements.txt -r requirements-test.txt -c requirements.lock
, := ,

IS_NEW_ENOUGH = import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python,\
	$(shell $(p) -c '$(IS_NEW_ENOUGH)' 2>/dev/null && echo $(p))))

# One thread a process: the notebooks run two at a time, and sums come out in one order.
export OMP_NUM_THREADS := 1
# No progress bars in outputs that are stored or compared.
export TQDM_DISABLE := 1
# The kernel of this environment, not one of the same name in the user's folder.
export JUPYTER_PREFER_ENV_PATH := 1

.DEFAULT_GOAL := help
.PHONY: help install book pdf epub offline page-report links sphinx lab notebooks serve data results experiments bench bench-gpu test lint types unit nbval pages format lock clean distclean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---- the environment -----------------------------------------------------------------------

install: $(VENV)/.installed ## make .venv and install everything into it

$(VENV)/.installed: requirements.txt requirements-test.txt requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found. Install one," \
	  "or say where it is: make PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python has no" \
	  "venv module: install it (Debian, Ubuntu: apt install python3-venv) and try again."; exit 1; }
	@echo "Installing into $(VENV) (about 1.5 GB, two minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  $(if $(NEWEST),--editable .[book$(,)test],$(LOCKED) --editable .) || { echo "The installation failed: the last lines of pip say why." \
	  "Most often it is the network: then try 'make' again."; exit 1; }
	@touch $@

# ---- the book ------------------------------------------------------------------------------

book: $(BOOK)/.built ## build the book, warnings are errors, and print the file to open
	@echo "Open file://$(CURDIR)/$(BOOK)/index.html"

# Sphinx writes those pages again whose text has changed, and does not know of these.
ON_ALL_PAGES := _config.yml book/_ext/% book/_static/% lstm_lib/figures/% $(VENV)/.installed

$(BOOK)/.built: $(VENV)/.installed _config.yml _toc.yml tools/build_book.py \
  $(shell find book notebooks lstm_lib -type f -not -name '*.pyc' -not -path '*/.*' 2>/dev/null) \
  $(wildcard .git/logs/HEAD) # every page names the commit
	@$(BIN)/python tools/build_book.py build . $(if $(filter $(ON_ALL_PAGES),$?),--all) -W -n --keep-going || { rm -rf _build/.doctrees; echo "The book has the warnings" \
	  "marked WARNING above: mend those files and run 'make book' again."; exit 1; }
	@touch $@

pdf: book $(VENV)/browser ## print the book into one file
	@$(BIN)/python -m tools.take_away.pdf

epub: book ## make the book for e-readers, and check it with epubcheck where Java is installed
	@$(BIN)/python -m tools.take_away.epub

page-report: book $(VENV)/browser ## measure weight, axe, first paint and Lighthouse; needs npm (minutes)
	@$(BIN)/python -m tools.page_report $(BOOK) _build/report

links: install ## ask every address that the book links to whether it is there (needs the internet)
	$(BIN)/python tools/build_book.py build . --builder linkcheck --all --path-output _build/links

sphinx: install ## build the book with the newest Sphinx and without Jupyter Book, should that end
	@test -x $(PLAIN)/bin/python || $(BIN)/python -m venv $(PLAIN)
	@$(PLAIN)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade \
	  --constraint requirements.txt --editable .[sphinx]
	@$(BIN)/python tools/plain_sphinx.py conf.py
	PYTHONPATH=book/_ext $(PLAIN)/bin/sphinx-build -q -W -n --keep-going . _build/sphinx/html

offline: book ## put the built book into one zip archive, to be read without a network
	@$(BIN)/python tools/make_offline.py $(BOOK) _build/lstm-measured.zip

serve: book ## show the built book at http://localhost:8000
	$(BIN)/python -m http.server 8000 --bind localhost --directory $(BOOK)

lab: install ## open the notebooks in JupyterLab
	@$(BIN)/jupyter trust notebooks/*.ipynb # else JupyterLab hides the stored drawings
	env -u TQDM_DISABLE -u OMP_NUM_THREADS $(BIN)/jupyter lab notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

notebooks: install ## execute all notebooks in place, and measure their time and memory
	$(BIN)/python tools/execute_notebooks.py notebooks/*.ipynb

# ---- data and long experiments -------------------------------------------------------------

data: install ## fetch the data that the chapters use (14 MB), and list what there is
	$(BIN)/python -m lstm_lib.data

results: install ## print the recorded reproductions; ANEW=1: then measure the targets on real data (minutes)
	@$(BIN)/python -m lstm_lib.experiments results $(if $(ANEW),--anew)

experiments: install ## list the experiments, or run some again beside what is recorded: EXP=6a ARGS="--jobs 2"
	env -u TQDM_DISABLE $(BIN)/python -m lstm_lib.experiments $(EXP) $(ARGS)

bench: install ## race on the CPU, and record it (ten minutes on a machine with nothing else to do)
	env -u TQDM_DISABLE $(BIN)/python -m benchmarks cpu
	env -u TQDM_DISABLE $(BIN)/python -m benchmarks kept

bench-gpu: install ## the same on an NVIDIA GPU
	env -u TQDM_DISABLE $(BIN)/python -m benchmarks gpu

# ---- the tests -----------------------------------------------------------------------------

test: lint types unit nbval book pages ## everything that follows, and the book
	@echo "All tests passed."

lint: install ## ruff: style and format of code and notebooks ('make format' mends most of it)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install ## mypy: the types of lstm_lib
	$(BIN)/mypy

unit: data ## pytest: the unit tests, and how much of lstm_lib they cover
	$(BIN)/pytest tests -n 2 --cov=lstm_lib --cov-report=term-missing:skip-covered --cov-fail-under=95

nbval: data ## run every notebook, compare every output with the stored one, and watch the memory
	$(BIN)/python -m pytest notebooks --nbval --nbval-current-env --nbval-cell-timeout 120 \
	  --nbval-sanitize-with tests/nbval_sanitize.cfg -p tests.kernel_memory --peak-megabytes 1500 \
	  -n 2 --dist loadfile -q

pages: book $(VENV)/browser ## look at every page of the book in a real browser
	$(BIN)/pytest tests/pages -m pages -n 2 --dist loadscope -q

$(VENV)/browser: $(VENV)/.installed tools/get_browser.py
	@$(BIN)/python tools/get_browser.py $@

# ---- upkeep --------------------------------------------------------------------------------

format: install ## let ruff mend style and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: install ## write requirements.lock anew from requirements*.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --universal --upgrade --python-version 3.11 --no-header --no-annotate \
	  requirements.txt requirements-test.txt --output-file requirements.lock

clean: ## remove what was built
	rm -rf _build conf.py .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis

distclean: clean ## remove what was built and the environment
	rm -rf $(VENV) *.egg-info
