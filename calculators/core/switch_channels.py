"""Channels of a switch: tags C0__TAG, C1__TAG, ... and which of them is on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from calcgraph.runtime.context import CalculatorContext, Ports
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.timestamp import DONE

PortKey = tuple[str, int]

SELECTORS = ("ENABLE", "SELECT")
_CHANNEL = re.compile(r"C([0-9]+)__(.*)")


def channel_tag(tag: str, channel: int) -> str:
    return f"C{channel}__{tag}"


def channel_ports(keys: Iterable[PortKey]) -> Iterator[tuple[int, PortKey, PortKey]]:
    """Of all ports that have a channel: its number, the port without it, and the port itself."""
    for tag, index in keys:
        match = _CHANNEL.fullmatch(tag)
        if match:
            yield int(match[1]), (match[2], index), (tag, index)


def initial_channel(cc: CalculatorContext) -> int:
    """From the side packets, else from the options, else 0."""
    options = cc.options
    channel = int(options.enable) if options.HasField("enable") else 0
    if options.HasField("select"):
        channel = options.select
    return chosen_channel(cc.input_side_packets, channel)


def chosen_channel(packets: Ports[Packet], before: int) -> int:
    """What SELECT says, else what ENABLE says (False is channel 0), else the one it was before."""
    given = [packets[tag] for tag in reversed(SELECTORS) if tag in packets]
    return next((int(packet.value) for packet in given if packet), before)


def selection_settled(cc: CalculatorContext) -> int:
    """Up to when the selection is known; for ever if no stream makes it."""
    for tag in SELECTORS:
        if tag in cc.inputs:
            return cc.inputs[tag].timestamp
    return DONE
