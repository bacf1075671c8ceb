"""The memory of this process: how much it takes, and giving back what nobody uses."""

from __future__ import annotations

import ctypes
import gc
import os
from pathlib import Path
from typing import Final

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def resident_bytes() -> int:
    """Linux's count; 0 elsewhere."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE
    except OSError:
        return 0


def give_back() -> None:
    """After a model is closed. Blocks for some tens of milliseconds.

    What a model holds goes in cycles, which Python finds when it pleases; and the C library keeps what is
    freed for the next allocation.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
    if trim is not None:
        trim(0)
