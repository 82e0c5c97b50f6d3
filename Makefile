# The two commands of the README: `make repro` runs the pipeline, `make test` runs the tests. Both set up first.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
LARIXITE := larixite==2026.1.0
PIP    := $(BIN)/pip install --quiet --no-warn-conflicts --disable-pip-version-check --constraint requirements.lock
MODULES = find src crystal mining priors generator model reports -path priors/fitted -prune -o \
  \( -name '*.py' -o -path '*/templates/*' -o -path 'priors/*.json' -o -path 'crystal/*.tsv' \) -print | grep -v __pycache__ | LC_ALL=C sort

.PHONY: setup setup-test repro shell test test-all lint lock docs demonstrator matrix powder ci clean help
.DEFAULT_GOAL := help

help:
	@echo "make repro   set up, then run the whole pipeline (dvc repro): ends with reports/amcsd/index.html"
	@echo "make test    set up, then run the tests that take seconds (ten minutes in all on two cores)"
	@echo "make test-all   run every test: a browser, a cluster, interrupted runs, trainings (twenty minutes)"
	@echo "make shell   set up, then open a shell in which xtalpriors and dvc are found"
	@echo "make demonstrator   train the network that two CPU cores can train (about ten minutes)"
	@echo "make matrix  train every strategy of the generator, small, and rank them (about an hour)"
	@echo "make powder  train and score the networks for powder patterns on the CPU (about 20 minutes of one core)"
	@echo "make lint    ruff, mypy --strict and the import contracts"
	@echo "make docs    build docs/_build/html, warnings are errors"
	@echo "make lock    write requirements.lock anew from pyproject.toml"
	@echo "make clean   remove the environment and everything that the pipeline computed under data/"

# The editable install is strict (each module linked on its own), so it is renewed when the list of modules changes.
define install_package
	@$(MODULES) | cmp -s - $(VENV)/modules.txt || { \
	  echo "installing xtalpriors into $(VENV)"; \
	  $(PIP) --no-deps --editable . --config-settings editable_mode=strict && $(MODULES) > $(VENV)/modules.txt; }
endef

setup: $(VENV)/setup.stamp
	$(install_package)

setup-test: setup $(VENV)/setup-test.stamp

$(VENV)/setup.stamp: pyproject.toml requirements.lock
	@command -v $(PYTHON) > /dev/null || { echo "no $(PYTHON) here: install Python 3.11 or newer, or say make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11: say make PYTHON=python3.12, for instance" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable . --config-settings editable_mode=strict
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps $(LARIXITE)
	@$(MODULES) > $(VENV)/modules.txt
	@touch $@

$(VENV)/setup-test.stamp: $(VENV)/setup.stamp
	$(PIP) --editable '.[test,lint,docs]' --config-settings editable_mode=strict
	@$(MODULES) > $(VENV)/modules.txt
	@touch $@

repro: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/dvc repro

shell: setup
	@echo "xtalpriors and dvc of $(CURDIR)/$(BIN); leave with exit"
	@PATH="$(CURDIR)/$(BIN):$$PATH" VIRTUAL_ENV="$(CURDIR)/$(VENV)" $${SHELL:-sh} || true

PYTEST := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest -q -n 2 --dist worksteal

test: setup-test
	$(PYTEST) -m "not slow" tests

test-all: setup-test
	$(PYTEST) tests

demonstrator: setup
	$(BIN)/xtalpriors train --preset demonstrator --output data/models/demonstrator --resume

matrix: setup # scored on the real structures of AMCSD too, once the pipeline has made the subsets
	$(BIN)/xtalpriors matrix --preset smoke --bundle priors/fitted/amcsd/p21c-10.json --output data/models/matrix \
		$(patsubst %,--test %,$(wildcard data/amcsd/subsets/p21c-10.parquet data/amcsd/subsets/p21c-20.parquet))

# Both networks on cubic and trigonal crystals, and CrystalNet told less of the composition: the page of reports/amcsd/powder/ in full.
POWDER := data/models/powder-full
POWDER_CRYSTALS ?= 30
POWDER_FOURIER := --preset crystalnet-fourier --set data.count=1500 --set training.examples=100
powder: setup # a run that is stopped goes on; the database is that of the pipeline
	$(BIN)/xtalpriors powder train --preset crystalnet-cpu --output $(POWDER)/crystalnet-S
	$(BIN)/xtalpriors powder train --preset crystalnet-cpu --set data.system=trigonal --output $(POWDER)/crystalnet-trigonal
	for told in elements one-dropped none; do \
	  $(BIN)/xtalpriors powder train --preset crystalnet-cpu --set formula=$$told --output $(POWDER)/crystalnet-$$told || exit; done
	$(BIN)/xtalpriors powder train $(POWDER_FOURIER) --output $(POWDER)/fourier-S
	$(BIN)/xtalpriors powder train $(POWDER_FOURIER) --set data.system=trigonal --output $(POWDER)/fourier-trigonal
	$(BIN)/xtalpriors powder train $(POWDER_FOURIER) --set data.split=P --output $(POWDER)/fourier-P
	$(BIN)/xtalpriors powder evaluate $(foreach run,crystalnet-S crystalnet-elements crystalnet-one-dropped crystalnet-none fourier-S \
	  crystalnet-trigonal fourier-trigonal fourier-P,--model $(POWDER)/$(run)) --crystals $(POWDER_CRYSTALS) --points 25 \
	  --database data/amcsd/crystals.duckdb --output data/amcsd/powder
	$(BIN)/xtalpriors report --corpus amcsd

lint: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup-test
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html

# A fresh environment, resolved from the ranges alone. PyTorch is pinned by its release (no local build tag, no CUDA packages).
lock:
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet --disable-pip-version-check torch==2.13.0
	build/lock/bin/pip install --quiet --disable-pip-version-check '.[test,lint,docs]' setuptools wheel
	build/lock/bin/pip freeze --all --exclude xtalpriors --exclude pip | sed 's/+cpu$$//' | grep -v -e '^nvidia-' -e '^triton' -e ' @ ' > requirements.lock
	rm -rf build/lock

ci:
	bash .ci/run

clean:
	rm -rf $(VENV) build data docs/_build
