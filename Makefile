# `make serve` and `make test` do all their set-up; every other rule is for developers.

# setuptools warns at each editable install that the folders here are named as the packages: they are.
install := PYTHONWARNINGS=ignore
python  := python3.11
venv    := .venv
bin     := $(venv)/bin
folders := runtime calculators servers tools proto graphs
links   := build/links/calcgraph
pyovms  := build/links/pyovms
protoc  := build/protoc
config  := models/config.json

REST_PORT ?= 8000
PORT      ?= 9000

.PHONY: serve test test-all lint format proto bench clean

serve: $(venv)/serve.stamp
	$(bin)/calcgraph pull
	$(bin)/calcgraph serve --config_path $(config) --rest_port $(REST_PORT) --port $(PORT)

test: $(venv)/dev.stamp
	$(bin)/calcgraph pull
	$(bin)/python -m pytest -n auto --dist loadfile

test-all: $(venv)/dev.stamp
	$(bin)/calcgraph pull
	$(bin)/python -m pytest -n auto --dist loadfile -m "slow or not slow"

lint: $(venv)/dev.stamp $(links) $(pyovms) $(protoc)/stamp
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(protoc)/bin/python proto/generate.py --check

format: $(venv)/dev.stamp
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

proto: $(protoc)/stamp
	$(protoc)/bin/python proto/generate.py

bench: $(venv)/dev.stamp
	$(bin)/calcgraph pull
	$(bin)/python -m benchmarks.serving --curves --docs docs/performance

clean:
	rm -rf build dist $(venv)

$(venv)/bin/python:
	$(python) -m venv $(venv)
	$(bin)/python -m pip install --quiet --upgrade 'pip>=25.1'

$(venv)/serve.stamp: pyproject.toml | $(venv)/bin/python
	$(install) $(bin)/python -m pip install --quiet --editable '.[export]'
	touch $@

$(venv)/dev.stamp: $(venv)/serve.stamp
	$(install) $(bin)/python -m pip install --quiet --editable '.[export,compress,bench,otel]' --group dev
	touch $@

$(links):
	mkdir -p $@
	ln -sfn $(addprefix ../../../,$(folders)) $@

$(pyovms): | $(links)
	ln -sfn ../../pyovms $@

$(protoc)/stamp: pyproject.toml
	$(python) -m venv $(protoc)
	$(protoc)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(protoc)/bin/python -m pip install --quiet --group protoc
	touch $@
