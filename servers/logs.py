"""The server's log: lines of text or of JSON, each with the request that it is about."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from calcgraph.servers.model_config import ConfigError
from calcgraph.servers.observation.exchange import current

LEVELS: Final = {
    "TRACE": logging.DEBUG,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
}
"""By OVMS's names."""


class TextFormatter(logging.Formatter):
    """For people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = super().formatMessage(record)
        exchange = current()
        if exchange is None or hasattr(record, "facts"):
            return line
        return f"{line} request_id={exchange.request_id}"


class JsonFormatter(logging.Formatter):
    """For programs: an object a line, with what is known of a failed request as keys of their own."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        exchange = current()
        if exchange is not None:
            told["request_id"] = exchange.request_id
            if exchange.trace_id:
                told["trace_id"] = exchange.trace_id
        told |= getattr(record, "facts", {})
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(told, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


FORMATS: Final = {"text": TextFormatter, "json": JsonFormatter}


def log_to(file: Path | None, level: str, form: str) -> None:
    """Have everything logged to a file, else to stderr. Raises ConfigError."""
    try:
        handler = logging.FileHandler(file) if file else logging.StreamHandler(sys.stderr)
    except OSError as error:
        raise ConfigError(f"--log_path {file} cannot be written: {error.strerror}") from None
    handler.setFormatter(FORMATS[form]())
    logging.basicConfig(handlers=[handler], level=LEVELS[level])
