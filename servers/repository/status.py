"""How far a version of a model has come, in the words of OVMS and TensorFlow Serving."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from calcgraph.runtime.errors import Code, StatusError


class State(StrEnum):
    """The states of a version, in the order of its life."""

    LOADING = "LOADING"
    """It does not answer yet; after a failure it does not until its files change."""
    AVAILABLE = "AVAILABLE"
    """It answers requests, though the first may have to wait until it is in memory again."""
    UNLOADING = "UNLOADING"
    END = "END"


@dataclass(frozen=True, slots=True)
class VersionStatus:
    """What operators may know of one version.

    AVAILABLE with another code than OK serves what it served before, and `reason` says why a change of it
    was not taken.
    """

    version: int
    state: State
    code: Code = Code.OK
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a load failed. Not the error itself, which holds on to what was loaded until then."""

    code: Code
    reason: str

    @classmethod
    def of(cls, error: StatusError) -> Failure:
        return cls(error.code, str(error))
