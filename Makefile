# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
#
# make demo               the demo sequence through the real node; INPUT=path takes a bag or a TUM folder instead
# make test               all tests
# make test-old-processor the numerical tests again, as a processor with AVX2 alone computes
# make check              lint, format and types only
# make fuzz               damaged files and messages of every kind, for twenty minutes
# make accuracy           the tables of docs/accuracy.md anew, hours; DATA=folder of the recorded sequences
# make gpu                checks and measures on a GPU, a few minutes; GPU_OUT=folder of the results
# make venv               only the virtual environment
#
# PYTHON      interpreter that makes the virtual environment (3.10 to 3.14)
# VENV        where the environment lies
# TORCH       requirement for torch; a CUDA build: make demo TORCH=torch TORCH_FLAGS="--index-url URL"
# TORCH_FLAGS further arguments of pip for torch alone

PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch==2.13.0
TORCH_FLAGS ?=
INPUT ?=
OUT ?= demo_output
GPU_OUT ?= gpu_output
DATA ?= data

PIP := $(VENV)/bin/python -m pip --disable-pip-version-check
# Errors alone: pip warns of index locations that its own configuration names and that lack a package.
INSTALL := $(PIP) install -qq
CONSTRAINTS := -c requirements/lock.txt
RUN := env AMENT_PREFIX_PATH=$(abspath $(VENV)) PYTHONUNBUFFERED=1

NUMERICAL := test/networks test/matching test/geometry test/odometry

.PHONY: demo test fuzz test-old-processor check accuracy gpu venv clean
.DELETE_ON_ERROR:

demo: $(VENV)/.runtime
	@$(RUN) $(VENV)/bin/drcn demo $(if $(INPUT),"$(INPUT)") --out "$(OUT)"

test: check
	@$(RUN) OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest

test-old-processor: $(VENV)/.test
	@ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=default OMP_NUM_THREADS=1 $(RUN) $(VENV)/bin/python -m pytest -m "not slow" $(NUMERICAL)

# Damaged files and messages, FUZZ_SECONDS of each kind, from another case on each day: make fuzz FUZZ_SECONDS=360
FUZZ_SECONDS ?= 120
FUZZ_FIRST ?= $(shell date +%y%m%d)0000
fuzz: $(VENV)/.test
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_FIRST=$(FUZZ_FIRST) OMP_NUM_THREADS=1 $(RUN) $(VENV)/bin/python -m pytest -s \
		test/fuzz test/ros/running_node/test_fuzz_node.py

check: $(VENV)/.test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# Goes on where it was cut: make accuracy ACCURACY="--go-on"; others' methods: pip install -e ".[yardsticks]" first
ACCURACY ?=
accuracy: $(VENV)/.runtime
	@$(RUN) OMP_NUM_THREADS=1 $(VENV)/bin/drcn bench accuracy_tables "$(DATA)" \
		--json docs/benchmarks/accuracy.json --markdown docs/accuracy_tables.md $(ACCURACY)

# Also with an interpreter that has all it needs: make gpu GPU_PYTHON=python3
GPU_PYTHON ?= $(VENV)/bin/python
gpu: $(if $(filter $(VENV)/bin/python,$(GPU_PYTHON)),$(VENV)/.test)
	@$(GPU_PYTHON) -m drcn_ros bench gpu --out "$(GPU_OUT)"

venv: $(VENV)/.runtime

$(VENV)/bin/python:
	@requirements/make_venv.sh "$(PYTHON)" "$(VENV)"

$(VENV)/.runtime: requirements/runtime.in requirements/lock.txt setup.py | $(VENV)/bin/python
	@echo "installing ROS 2 Jazzy, torch and the rest into $(VENV) (some hundred MB, once)"
	@$(INSTALL) $(CONSTRAINTS) -r requirements/runtime.in
	@$(INSTALL) $(CONSTRAINTS) $(TORCH_FLAGS) "$(TORCH)"
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: $(VENV)/.runtime requirements/test.in
	@$(INSTALL) $(CONSTRAINTS) -r requirements/test.in
	@touch $@

clean:
	rm -rf "$(VENV)" demo_output gpu_output build install log drcn_ros.egg-info .mypy_cache .ruff_cache .pytest_cache
