"""Prepare the model of --source_model and serve it (`calcgraph serve --source_model ...`)."""

from __future__ import annotations

import argparse
import sys
from contextlib import redirect_stdout

from calcgraph.servers import serve
from calcgraph.tools import pull, pull_flags
from calcgraph.tools.pull_source import requested


def add_arguments(parser: argparse.ArgumentParser) -> None:
    serve.add_arguments(parser)
    # What both have, --model_name and --target_device, means here what it means to the pull.
    pull_flags.add_arguments(
        parser.add_argument_group("the model to prepare", conflict_handler="resolve")
    )


def run(args: argparse.Namespace) -> int:
    # A server's standard output is the line that says it is ready.
    with redirect_stdout(sys.stderr):
        status = pull.run(args)
    if status:
        return status
    request = requested(args)
    args.model_name = request.name
    args.model_path = request.target
    args.target_device = None  # the model's graph has it by now
    return serve.run(args)
