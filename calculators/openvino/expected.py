"""What a model takes and gives, and what a request for it must hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from calcgraph.calculators.openvino.element_types import datatype_of
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.naming import did_you_mean
from calcgraph.runtime.payload import Tensor, TensorSpec


@dataclass(frozen=True, slots=True)
class Expected:
    """One input or output of a model."""

    name: str
    datatype: str
    sizes: tuple[tuple[int, int], ...] | None
    """The least and the greatest size of each dimension, -1 for no bound; None for any rank."""

    @classmethod
    def of(cls, port: Any) -> Expected:
        """Raises ValueError for an element type that no client can send."""
        shape = port.get_partial_shape()
        sizes = None
        if shape.rank.is_static:
            sizes = tuple((each.min_length, each.max_length) for each in shape)
        return cls(port.get_any_name(), datatype_of(port), sizes)

    @property
    def spec(self) -> TensorSpec:
        """As metadata tells it; -1 also stands for a range, and alone for any rank."""
        if self.sizes is None:
            return TensorSpec(self.name, self.datatype, (-1,))
        shape = tuple(low if low == high else -1 for low, high in self.sizes)
        return TensorSpec(self.name, self.datatype, shape)

    @property
    def is_dynamic(self) -> bool:
        return self.sizes is None or any(low != high for low, high in self.sizes)

    def check(self, tensor: Tensor) -> None:
        """Raises RequestError for another datatype or shape."""
        if tensor.datatype != self.datatype:
            _refuse(
                self.name,
                f"Input '{self.name}' has the datatype {tensor.datatype}; the model takes {self.datatype}.",
            )
        if not self._fits(tensor.shape):
            _refuse(
                self.name,
                f"Input '{self.name}' has the shape {list(tensor.shape)}; the model takes {self.shape}.",
            )

    def _fits(self, shape: Sequence[int]) -> bool:
        if self.sizes is None:
            return True
        return len(shape) == len(self.sizes) and all(
            low <= size and (high == -1 or size <= high)
            for size, (low, high) in zip(shape, self.sizes, strict=True)
        )

    @property
    def shape(self) -> str:
        """For messages: [1, -1, 200:400]."""
        if self.sizes is None:
            return "any shape"
        return f"[{', '.join(_size(low, high) for low, high in self.sizes)}]"


def ordered(expected: Sequence[Expected], tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    """The tensors in the model's order.

    Raises RequestError naming the input that is missing, unknown, given twice, or of another datatype
    or shape.
    """
    names = [each.name for each in expected]
    given: dict[str, Tensor] = {}
    for tensor in tensors:
        if tensor.name not in names:
            hint = did_you_mean(tensor.name, names) or f"; it has {_listed(names)}"
            _refuse(tensor.name, f"The model has no input '{tensor.name:.80}'{hint}")
        if tensor.name in given:
            _refuse(tensor.name, f"The request has the input '{tensor.name}' twice.")
        given[tensor.name] = tensor
    for each in expected:
        if each.name not in given:
            _refuse(
                each.name,
                f"The request has no input '{each.name}'; the model takes {_listed(names)}.",
            )
        each.check(given[each.name])
    return [given[name] for name in names]


def _size(low: int, high: int) -> str:
    if low == high:
        return str(low)
    return "-1" if high == -1 and low <= 1 else f"{low}:{'' if high == -1 else high}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _refuse(param: str, message: str) -> NoReturn:
    raise RequestError(message, param=param)
