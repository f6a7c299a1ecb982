# Zeroten. `make demo` shows it, `make help` lists the rest.
# It needs Python 3.11 or newer; everything else goes into .venv. PYTHON=/path/to/python3 chooses the Python.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
RASA_VENV := .venv-rasa
RASA_SERVER_VENV := .venv-rasa-server
UV_VERSION := 0.13.9

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo demo-speech serve doctor test simulate test-rasa test-rasa-server check format fuzz bench crm speech whisper bench-speech lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.base ## set everything up and run the main job with a local carrier, until Ctrl-C
	@$(BIN)/zeroten demo $(ARGS)

demo-speech: $(VENV)/.speech-dev ## the demo with a call that is answered aloud and heard on this machine
	@$(BIN)/zeroten demo --spoken $(ARGS)

serve: $(VENV)/.base ## web and worker in one process, with the settings of the environment or .env
	@$(BIN)/zeroten serve $(ARGS)

doctor: $(VENV)/.base ## what is missing, and how to get it
	@$(BIN)/zeroten doctor

test: $(VENV)/.dev ## set everything up and run the tests; ARGS="tests/store -k pool" runs some
	@$(BIN)/pytest --numprocesses=auto --dist=worksteal $(ARGS)

test-rasa: $(RASA_VENV)/.ready ## the tests of Rasa's own action server, in an environment of its own
	@$(RASA_VENV)/bin/python -m pytest -m rasa_sdk tests/chatbot/rasa $(ARGS)

test-rasa-server: $(VENV)/.dev $(RASA_SERVER_VENV)/.ready ## the survey in a real Rasa server: Python 3.10 and 2.4 GB
	@RASA_SERVER_PYTHON="$(CURDIR)/$(RASA_SERVER_VENV)/bin/python" $(BIN)/pytest -m rasa_server tests/chatbot/rasa $(ARGS)

simulate: $(VENV)/.dev ## days of a contact centre under faults, as fast as they go: DAYS=100 SEED=7
	@$(BIN)/python -m tests.simulation --days $(or $(DAYS),30) $(if $(SEED),--seed $(SEED)) $(ARGS)

check: $(VENV)/.dev ## format, lint, types, layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev ## format, and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

fuzz: $(VENV)/.dev ## 20,000 requests that nobody would write: the interface, signed webhooks, chats, the sound of calls
	@FUZZ_REQUESTS=$(or $(REQUESTS),20000) $(BIN)/pytest -m fuzz tests/fuzz $(ARGS)

bench: $(VENV)/.dev ## measure, and print one table
	@$(BIN)/python -m tests.bench $(ARGS)

crm: $(VENV)/.crm ## install what the connectors to Salesforce and Google Sheets need

speech: $(VENV)/.speech ## install what recognises speech on this machine

whisper: $(VENV)/.whisper ## install Whisper, which needs a model of yours

bench-speech: $(VENV)/.dev $(VENV)/.speech-dev ## measure hearing, and print the tables of docs/speech.md
	@$(BIN)/python -m tests.bench.speech $(ARGS)

lock: ## pin what pyproject.toml asks for in requirements/*.txt; ARGS=--upgrade finds newer versions
	@$(find_python); "$$python" -m venv build/lock
	@build/lock/bin/pip install --quiet uv==$(UV_VERSION)
	@$(call pin,dev,--extra crm --group dev)
	@$(call pin,base,--constraints requirements/dev.txt)
	@$(call pin,crm,--extra crm --constraints requirements/dev.txt)
	@$(call pin,speech-dev,--extra whisper --group speech-dev --constraints requirements/dev.txt)
	@$(call pin,speech,--extra speech --constraints requirements/speech-dev.txt)
	@$(call pin,whisper,--extra whisper --constraints requirements/speech-dev.txt)
	@$(call pin,rasa-dev,--extra rasa --group rasa-dev)
	@$(call pin,rasa,--extra rasa --constraints requirements/rasa-dev.txt)

pin = build/lock/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url --output-file requirements/$(1).txt $(2) $(ARGS)

clean: ## remove what make has made; data/ stays
	rm -rf $(VENV) $(RASA_VENV) $(RASA_SERVER_VENV) build zeroten.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find app tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +

# Each of requirements/*.txt is a whole environment; its time tells whether anything is to be done.
$(VENV)/.base: requirements/base.txt pyproject.toml $(BIN)/python
	@echo "Installing Zeroten into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement $<
	@$(BIN)/python -m pip install --quiet --no-deps --no-index --no-build-isolation --editable .
	@touch $@

$(VENV)/.%: requirements/%.txt $(VENV)/.base
	@echo "Installing requirements/$*.txt into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement $<
	@touch $@

$(RASA_VENV)/.ready: requirements/rasa-dev.txt
	@echo "Installing Zeroten with Rasa's action server into $(RASA_VENV) ..."
	@$(find_python); "$$python" -m venv --clear $(RASA_VENV)
	@$(RASA_VENV)/bin/pip install --quiet --require-hashes --requirement $<
	@touch $@

# Rasa 3.6 runs on Python 3.10 and on versions that its own requirements rule out.
$(RASA_SERVER_VENV)/.ready: requirements/rasa-server.txt
	@echo "Installing a Rasa server into $(RASA_SERVER_VENV) ..."
	@$(or $(PYTHON310),python3.10) -m venv --clear $(RASA_SERVER_VENV)
	@$(RASA_SERVER_VENV)/bin/pip install --quiet "pip<26.1" "setuptools<70" wheel
	@$(RASA_SERVER_VENV)/bin/pip install --quiet --no-deps --requirement $<
	@touch $@

$(BIN)/python:
	@$(find_python); "$$python" -m venv --clear $(VENV)

suitable = import sys; sys.exit(sys.version_info < (3, 11))
find_python = for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14); do \
		"$$python" -c '$(suitable)' 2>/dev/null && break; python=; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Zeroten needs Python 3.11 or newer$(if $(PYTHON),; $(PYTHON) is not that)." >&2; \
		echo "Debian, Ubuntu: sudo apt-get install python3 python3-venv   macOS: brew install python" >&2; \
		echo "or name one you have: make PYTHON=/path/to/python3 ..." >&2; exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python cannot make virtual environments." >&2; \
		echo "Debian, Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; \
	fi
