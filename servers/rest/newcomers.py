"""A listening socket that takes no new client, while those that are connecting already still get in."""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
from typing import Final

# From <asm-generic/socket.h> and <linux/filter.h>; Python has no names for them.
_SO_ATTACH_FILTER: Final = 26
_LOAD_BYTE, _AND, _JUMP_IF_EQUAL, _RETURN = 0x30, 0x54, 0x15, 0x06
_DROP, _PASS = 0, 0xFFFFFFFF
# RFC 9293, 3.1: the byte of the header with the flags.
_FLAGS, _SYN, _ACK = 13, 0x02, 0x10

# Each: code, lines to jump when it is true, when it is false, operand.
_PROGRAM: Final = (
    (_LOAD_BYTE, 0, 0, _FLAGS),
    (_AND, 0, 0, _SYN | _ACK),
    (_JUMP_IF_EQUAL, 0, 1, _SYN),
    (_RETURN, 0, 0, _DROP),
    (_RETURN, 0, 0, _PASS),
)


def turn_newcomers_away(listening: socket.socket) -> bool:
    """Have the system ignore all that would open a connection to a TCP socket; whether it does.

    A client that is ignored asks again, a second later on Linux, and is refused if the socket is closed
    then. This is a socket filter (https://docs.kernel.org/networking/filter.html), which Linux has.
    """
    if sys.platform != "linux":
        return False
    lines = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in _PROGRAM))
    program = struct.pack("HP", len(_PROGRAM), ctypes.addressof(lines))
    try:
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
    except OSError:  # a kernel of another kind, as sandboxes have
        return False
    return True
