"""Do streams leave anything behind? Sessions opened, used and cancelled at random points.

    python -m benchmarks.stream_sessions --sessions 10000

A server of its own serves a graph that keeps state. Clients open streams, send a few requests, read none, some or
all of the answers, and then end the stream, cancel it, let its deadline pass or close the whole connection. Every
thousandth session the server's memory, threads and open graphs are written down; at the end they must be where they
were after the first thousand. The exit status tells.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio
import numpy as np

from calcgraph.proto import inference_pb2 as pb
from calcgraph.proto.inference_pb2_grpc import GRPCInferenceServiceStub

_NODES = """
import os
import threading
import numpy as np
from calcgraph.runtime import Calculator

class RunningSum(Calculator):
    inputs = {"": np.ndarray}
    outputs = {"": np.ndarray}
    graphs = 0

    def open(self, cc):
        type(self).graphs += 1
        self.sum = 0

    def process(self, cc):
        if (cc.inputs[0].value < 0).any():
            graphs, threads = type(self).graphs, threading.active_count()
            rss = int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            cc.outputs[0].add(np.array([graphs, threads, rss], np.int64))
            return
        self.sum = self.sum + cc.inputs[0].value
        cc.outputs[0].add(self.sum)

    def close(self, cc):
        type(self).graphs -= 1
"""
_GRAPH = """
input_stream: "in" output_stream: "out"
node { calculator: "RunningSum" input_stream: "in" output_stream: "out" }
"""
_ENDS = ("end", "cancel", "deadline", "leave")


@dataclass(frozen=True)
class Watched:
    """The server at one moment."""

    sessions: int
    graphs: int
    threads: int
    mib: float


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    arguments.add_argument("--sessions", type=int, default=10_000)
    arguments.add_argument("--at_once", type=int, default=16)
    arguments.add_argument("--seed", type=int, default=7)
    args = arguments.parse_args()
    with _server() as address:
        seen = asyncio.run(_run(address, args.sessions, args.at_once, random.Random(args.seed)))
    print("| sessions | graphs | threads | memory, MiB |\n|---|---|---|---|")
    for each in seen:
        print(f"| {each.sessions:,} | {each.graphs} | {each.threads} | {each.mib:.1f} |")
    first, last = seen[1], seen[-1]
    grew = last.graphs > first.graphs or last.threads > first.threads or last.mib > first.mib * 1.1
    print("grew" if grew else "no growth")
    return int(grew)


@contextmanager
def _server() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "graph.pbtxt").write_text(_GRAPH)
        nodes = Path(folder) / "nodes.py"
        nodes.write_text(_NODES)
        command = [sys.executable, "-m", "calcgraph.servers", "--model_name", "sum", "--port", "0"]
        command += ["--model_path", folder, "--calculators", str(nodes)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            match = re.search(r"gRPC (\S+),", process.stdout.readline())
            assert match
            yield match[1]
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()


async def _run(address: str, sessions: int, at_once: int, chance: random.Random) -> list[Watched]:
    seen = [await _watched(address, 0)]
    step = max(1, sessions // 10)
    for done in range(0, sessions, step):
        todo = asyncio.Semaphore(at_once)

        async def one(seed: int, todo: asyncio.Semaphore = todo) -> None:
            async with todo:
                await _session(address, random.Random(seed))

        async with asyncio.TaskGroup() as group:
            for _ in range(min(step, sessions - done)):
                group.create_task(one(chance.getrandbits(32)))
        seen.append(await _watched(address, min(done + step, sessions)))
    return seen


async def _session(address: str, chance: random.Random) -> None:
    """One stream, left at a random point."""
    end = chance.choice(_ENDS)
    async with grpc.aio.insecure_channel(address) as channel:
        timeout = chance.uniform(0.001, 0.05) if end == "deadline" else 60
        call = GRPCInferenceServiceStub(channel).ModelStreamInfer(timeout=timeout)
        try:
            for _ in range(chance.randrange(6)):
                await call.write(_request(chance.randrange(100)))
                if chance.random() < 0.5:
                    await call.read()
            if end == "end":
                await call.done_writing()
                while await call.read() is not grpc.aio.EOF:
                    pass
            elif end == "cancel":
                call.cancel()
            elif end == "deadline":
                await call.code()
        except (grpc.aio.AioRpcError, asyncio.CancelledError, asyncio.InvalidStateError):
            if end != "deadline":
                raise


def _request(value: int) -> pb.ModelInferRequest:
    raw = np.array([value], "<i8").tobytes()
    request = pb.ModelInferRequest(model_name="sum", raw_input_contents=[raw])
    request.inputs.add(name="in", datatype="INT64", shape=[1])
    return request


async def _watched(address: str, sessions: int) -> Watched:
    """The server as it is once the last graphs have closed; the one that tells is not counted."""
    gc.collect()
    async with grpc.aio.insecure_channel(address) as channel:
        stub = GRPCInferenceServiceStub(channel)
        for _ in range(100):
            answer = await stub.ModelInfer(_request(-1))
            graphs, threads, rss = np.frombuffer(answer.raw_output_contents[0], "<i8").tolist()
            if graphs == 1:
                break
            await asyncio.sleep(0.05)
    return Watched(sessions, graphs - 1, threads, rss / 2**20)


if __name__ == "__main__":
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    sys.exit(main())
