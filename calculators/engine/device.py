"""Device and `plugin_config`: checked before anything is compiled, and completed for this box."""

from collections.abc import Mapping, Sequence
from typing import Any

import openvino as ov

from calcgraph.calculators.engine.box import cpu_budget
from calcgraph.calculators.engine.errors import (
    DeviceUnknown,
    PropertyUnknown,
    PropertyValueWrong,
)
from calcgraph.calculators.engine.model import last_line

VIRTUAL = {"AUTO", "MULTI", "HETERO", "BATCH"}
STREAM_PROPERTIES = {"NUM_STREAMS", "PERFORMANCE_HINT"}
CORE_PROPERTIES = {"CACHE_DIR", "CACHE_MODE", "ENABLE_MMAP", "DEVICE_PROPERTIES"}

PluginConfig = Mapping[str, str | int | float | bool]


def devices_of(core: ov.Core, device: str) -> list[str]:
    """The devices behind this name: itself, or what AUTO, MULTI:... and the like choose from.

    Raises DeviceUnknown.
    """
    kind, _, members = device.partition(":")
    names = [m.strip().lstrip("-").partition("(")[0] for m in members.split(",") if m.strip()]
    available = core.available_devices
    if kind not in VIRTUAL:
        names = [device]
    known = {*available, *(name.partition(".")[0] for name in available)}
    for name in names:
        if name not in known:
            raise DeviceUnknown(device, available)
    return list(dict.fromkeys(name.partition(".")[0] for name in names or available))


def check_config(device: str, devices: Sequence[str], config: PluginConfig) -> None:
    """Raises PropertyUnknown, PropertyValueWrong. On a core of its own, since it sets to try.

    A virtual device hands what it does not know itself to the devices behind it. OpenVINO would take
    any word there, and ignore it.
    """
    if not config:
        return
    core = ov.Core()
    plugins = dict.fromkeys([device.partition(":")[0], *devices])
    settable = {plugin: _settable(core, plugin) for plugin in plugins}
    for key, value in config.items():
        plugin = next((p for p in plugins if key in settable[p]), None)
        if plugin is None:
            raise PropertyUnknown(key, device, set().union(*settable.values()))
        try:
            core.set_property(plugin, {key: value})
        except (RuntimeError, TypeError) as error:
            raise PropertyValueWrong(key, value, device, last_line(error)) from error


def streams_of(devices: Sequence[str], config: PluginConfig) -> int:
    """How many inferences may run side by side, one thread each; 1 where that is not ours to say."""
    if list(devices) != ["CPU"] or not STREAM_PROPERTIES.isdisjoint(config):
        return 1
    return int(config.get("INFERENCE_NUM_THREADS", cpu_budget().cpus))


def complete_config(
    devices: Sequence[str], config: PluginConfig, streams: int = 1
) -> dict[str, Any]:
    """`config`, with the threads and streams of a CPU set to what this process may use."""
    if list(devices) != ["CPU"]:
        return dict(config)
    chosen: dict[str, Any] = {"INFERENCE_NUM_THREADS": cpu_budget().cpus}
    if STREAM_PROPERTIES.isdisjoint(config):
        chosen["NUM_STREAMS"] = streams
    return {**chosen, **config}


def property_of(compiled: ov.CompiledModel, name: str, default: str) -> str:
    """A property of a compiled model, or of the first device behind a virtual one."""
    try:
        value = compiled.get_property(name)
    except RuntimeError:
        value = _property_behind(compiled, name)
    if value is None:
        return default
    return value.to_string() if isinstance(value, ov.Type) else str(value)


def _property_behind(compiled: ov.CompiledModel, name: str) -> Any:
    try:
        devices = compiled.get_property("DEVICE_PROPERTIES")
    except RuntimeError:
        return None
    return next((known[name] for known in devices.values() if name in known), None)


def _settable(core: ov.Core, plugin: str) -> set[str]:
    supported: Mapping[str, str] = core.get_property(plugin, "SUPPORTED_PROPERTIES")
    return {key for key, access in supported.items() if access == "RW"} | CORE_PROPERTIES
