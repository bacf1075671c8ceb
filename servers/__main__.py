"""Where the `calcgraph` command begins."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from calcgraph.runtime.errors import StatusError
from calcgraph.servers import product
from calcgraph.servers.command_line import parse

# OpenVINO tells its maker of every import and conversion, from a thread that outlives the server, unless
# the package that does so cannot be imported.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status. Mistakes of the user end in a sentence, not a traceback."""
    parsed = parse(sys.argv[1:] if arguments is None else arguments)
    if parsed is None:
        return 0
    command, args = parsed
    try:
        return command.run(args)
    except StatusError as error:
        print(f"{product.NAME}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
