"""A calculator that breaks the server it runs in, on request; given to it with --calculators.

{"model": "faults", "input": "kill engine"} ends the thread that infers, of every engine of the process,
as an error nobody foresaw would. {"input": "raise"} fails in the calculator itself.
"""

from __future__ import annotations

import ctypes
import threading

import orjson

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.context import CalculatorContext
from calcgraph.runtime.errors import RequestError
from calcgraph.runtime.payload import HttpRequest, HttpResponse

ENGINE_THREAD = "engine"


class Faults(Calculator):
    """Does the damage that the request's input names, and says how much."""

    inputs = {"REQUEST": HttpRequest}
    outputs = {"RESPONSE": HttpResponse}
    light = True

    def process(self, cc: CalculatorContext) -> None:
        match cc.inputs["REQUEST"].value.body.get("input"):
            case "kill engine":
                done = _kill_engines()
            case "raise":
                raise ZeroDivisionError("on request")
            case other:
                raise RequestError(f"expected 'kill engine' or 'raise', found {other!r}")
        cc.outputs["RESPONSE"].add(HttpResponse(orjson.dumps({"killed": done})))


def _kill_engines() -> int:
    """How many threads were hit; each dies at its next step in Python."""
    engines = [t for t in threading.enumerate() if t.name == ENGINE_THREAD and t.ident]
    for thread in engines:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit)
        )
    return len(engines)
