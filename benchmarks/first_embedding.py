"""From a fresh clone to the first embedding: seconds, and the size of the environment.

    python benchmarks/first_embedding.py [--limit 180] [--size 1000]

Clones this repository (committed state) into a temporary folder, runs `make serve` there on free ports, asks
for one embedding when the server says that it is ready, and stops it. Exit status 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODEL = "sentence-transformers/all-MiniLM-L6-v2"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--limit", type=float, default=180, help="seconds to the first embedding")
    parser.add_argument("--size", type=float, default=1000, help="MB of the environment")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        clone = Path(scratch) / "calcgraph"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        start = time.perf_counter()
        server = subprocess.Popen(
            ["make", "serve", "REST_PORT=0", "PORT=0"],
            cwd=clone,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            numbers = first_embedding(wait_until_ready(server))
            seconds = time.perf_counter() - start
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)
        megabytes = folder_size(clone / ".venv") / 1e6
    print(
        f"first embedding ({numbers} numbers) after {seconds:.0f} s, environment {megabytes:.0f} MB"
    )
    return int(seconds > args.limit or megabytes > args.size)


def wait_until_ready(server: subprocess.Popen[str]) -> str:
    """The REST address of the ready line; shows what the server prints until then."""
    assert server.stdout
    for line in server.stdout:
        sys.stdout.write(line)
        if ready := re.search(r"ready.*?(http://[\d.]+:\d+)", line):
            return ready[1]
    raise SystemExit(f"the server ended with status {server.wait()} before it was ready")


def first_embedding(address: str) -> int:
    request = urllib.request.Request(
        f"{address}/v3/embeddings",
        json.dumps({"model": MODEL, "input": "hello world"}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return len(json.load(response)["data"][0]["embedding"])


def folder_size(folder: Path) -> int:
    """Bytes of the files below, as the file system stores them."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))


if __name__ == "__main__":
    sys.exit(main())
