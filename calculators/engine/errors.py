"""What can go wrong in the engine, told apart by who can mend it.

`SetupError` and below: whoever wrote the graph or prepared the model. `SequenceError`: the caller.
`InferenceFailed`, `NotFinite`, `EngineClosed`: neither, the same request may succeed later.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class EngineError(Exception):
    """Anything the engine refuses or fails to do."""


class SetupError(EngineError, ValueError):
    """The engine cannot be opened as it was asked to be."""


class ModelUnreadable(SetupError):
    """A file of the model is missing or damaged."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot read the model {path}: {reason}")
        self.path = path


class ModelUnsuitable(SetupError):
    """The model is sound, but no encoder this engine can run."""


class DeviceUnknown(SetupError):
    """No such device here."""

    def __init__(self, device: str, available: Iterable[str]) -> None:
        super().__init__(
            f"device {device!r} is not available: OpenVINO finds {', '.join(available)} here"
            " (AUTO, MULTI:..., HETERO:... over these are accepted too)"
        )
        self.device = device


class PropertyUnknown(SetupError):
    """`plugin_config` has a key the device does not know."""

    def __init__(self, key: str, device: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = get_close_matches(key.upper(), known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(known)}"
        super().__init__(f"plugin_config: {device} has no property {key!r} that can be set; {hint}")
        self.key = key


class PropertyValueWrong(SetupError):
    """`plugin_config` gives a property a value the device does not take."""

    def __init__(self, key: str, value: object, device: str, reason: str) -> None:
        super().__init__(f"plugin_config: {device} does not take {key} = {value!r}: {reason}")
        self.key = key


class SequenceError(EngineError, ValueError):
    """A sequence of token ids that this model cannot take; `index` is its place in the request."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(f"sequence {index}: {message}")
        self.index = index


class EmptySequence(SequenceError):
    """A sequence without a single token."""

    def __init__(self, index: int) -> None:
        super().__init__(index, "has no tokens, at least 1 is needed")


class NotTokenIds(SequenceError):
    """A sequence that is no list of integers."""

    def __init__(self, index: int) -> None:
        super().__init__(index, "is not a list of token ids, that is, of integers")


class TooLong(SequenceError):
    """A sequence of more tokens than the model takes."""

    def __init__(self, index: int, tokens: int, limit: int) -> None:
        super().__init__(index, f"has {tokens} tokens, the model takes at most {limit}")
        self.tokens = tokens
        self.limit = limit


class BadTokenId(SequenceError):
    """A token id outside of the vocabulary. OpenVINO would return some vector without a word."""

    def __init__(self, index: int, position: int, token_id: int, vocab_size: int) -> None:
        super().__init__(
            index, f"token {position} has id {token_id}, the model's ids are 0 to {vocab_size - 1}"
        )
        self.position = position
        self.token_id = token_id
        self.vocab_size = vocab_size


class InferenceFailed(EngineError, RuntimeError):
    """OpenVINO failed on the batch this text was in."""


class NotFinite(InferenceFailed):
    """The model gives NaN or infinity for this text, even when it is inferred alone."""

    def __init__(self, index: int) -> None:
        super().__init__(f"sequence {index}: the model's answer has NaN or infinity in it")
        self.index = index


class EngineClosed(EngineError, RuntimeError):
    """The engine is closed or closing."""

    def __init__(self) -> None:
        super().__init__("the engine is closed")
