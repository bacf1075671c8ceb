"""Which input stream handlers a graph may name, the options each takes, and what can be wrong in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from google.protobuf.message import Message

from calcgraph.proto import handlers_pb2, options_pb2
from calcgraph.runtime.errors import Code, Location, StatusError
from calcgraph.runtime.naming import did_you_mean
from calcgraph.runtime.options import OptionSet
from calcgraph.runtime.problems import Problems
from calcgraph.runtime.tags import TagMap, parse_tag_index

DEFAULT: Final = "DefaultInputStreamHandler"

HANDLERS: Final[Mapping[str, type[Message] | None]] = {
    DEFAULT: handlers_pb2.DefaultInputStreamHandlerOptions,
    "ImmediateInputStreamHandler": None,
    "SyncSetInputStreamHandler": handlers_pb2.SyncSetInputStreamHandlerOptions,
    "BarrierInputStreamHandler": None,
    "EarlyCloseInputStreamHandler": None,
    "FixedSizeInputStreamHandler": handlers_pb2.FixedSizeInputStreamHandlerOptions,
    "TimestampAlignInputStreamHandler": handlers_pb2.TimestampAlignInputStreamHandlerOptions,
    "MuxInputStreamHandler": None,
}
"""Name to the type of its options, None for one that takes none."""

OUTPUT_HANDLER: Final = "InOrderOutputStreamHandler"


def handler_options(
    config: options_pb2.InputStreamHandlerConfig, location: Location, problems: Problems
) -> Message | None:
    """The decoded options of a handler that the graph names; an unknown name is a problem."""
    name = config.input_stream_handler
    if name not in HANDLERS:
        text = f'Unable to find InputStreamHandler "{name}"{did_you_mean(name, HANDLERS)}'
        problems.add(location, text, Code.NOT_FOUND)
        return None
    kind = HANDLERS[name]
    legacy = config.options if config.HasField("options") else None
    given = OptionSet(legacy, [], location)
    given.report_duplicates(problems)
    options = None if kind is None else given.get(kind, problems)
    given.report_unread(problems, name, [] if kind is None else [kind.DESCRIPTOR.full_name])
    return options


def check_handler(
    options: Message | None,
    inputs: TagMap,
    max_in_flight: int,
    location: Location,
    problems: Problems,
) -> None:
    """What only shows together with the node's inputs."""
    if isinstance(options, handlers_pb2.SyncSetInputStreamHandlerOptions):
        _check_sync_sets(options, inputs, location, problems)
    elif isinstance(options, handlers_pb2.TimestampAlignInputStreamHandlerOptions):
        _known_input(options.timestamp_base_tag_index, inputs, location, problems)
    elif isinstance(options, handlers_pb2.DefaultInputStreamHandlerOptions):
        _check_batch(options.batch_size, max_in_flight, location, problems)
    elif isinstance(options, handlers_pb2.FixedSizeInputStreamHandlerOptions):
        _check_sizes(options, location, problems)


def _check_sync_sets(
    options: handlers_pb2.SyncSetInputStreamHandlerOptions,
    inputs: TagMap,
    location: Location,
    problems: Problems,
) -> None:
    seen: set[tuple[str, int]] = set()
    for text in (text for sync_set in options.sync_set for text in sync_set.tag_index):
        key = _known_input(text, inputs, location, problems)
        if key is not None and key in seen:
            problems.add(location, f'tag_index "{text}" stands in the sync sets twice')
        if key is not None:
            seen.add(key)


def _check_batch(
    batch_size: int, max_in_flight: int, location: Location, problems: Problems
) -> None:
    if batch_size < 1:
        problems.add(location, f"batch_size: found {batch_size}, expected at least 1")
    elif batch_size > 1 and max_in_flight > 1:
        problems.add(
            location,
            f"batch_size {batch_size} and max_in_flight {max_in_flight}: expected one of them to be 1",
        )


def _check_sizes(
    options: handlers_pb2.FixedSizeInputStreamHandlerOptions, location: Location, problems: Problems
) -> None:
    trigger, target = options.trigger_queue_size, options.target_queue_size
    if not 1 <= target <= trigger:
        problems.add(
            location,
            f"found target_queue_size {target} and trigger_queue_size {trigger}, "
            "expected 1 <= target <= trigger",
        )


def _known_input(
    text: str, inputs: TagMap, location: Location, problems: Problems
) -> tuple[str, int] | None:
    try:
        key = parse_tag_index(text)
    except StatusError as error:
        problems.add(location, error.message)
        return None
    if key in inputs:
        return key
    known = [f"{tag}:{index}" for tag, index in inputs]
    problems.add(location, f'tag_index "{text}" is no input of this node, expected one of {known}')
    return None
