"""What the dataflow engine costs: latency and throughput of a chain, the serving path, flatness.

    python benchmarks/runtime.py [--mediapipe-python PYTHON]

PYTHON is that of an environment with MediaPipe 0.10.21 (`pip install --no-deps mediapipe==0.10.21
'protobuf<5' absl-py numpy`); its binding then runs the same chain, in turns with ours.
"""

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.executor import GraphExecutor
from calcgraph.runtime.graph import CalculatorGraph
from calcgraph.runtime.packet import Packet
from calcgraph.runtime.payload import HttpRequest, HttpResponse
from calcgraph.runtime.registry import register

ROUNDS = 5


@register("bench.PassThroughCalculator")
class PassThrough(Calculator):
    """MediaPipe's, with any number of streams."""

    inputs = {":*": Any}
    outputs = {":*": Any}
    light = True
    stateless = True

    def process(self, cc: Any) -> None:
        for key in cc.inputs:
            packet = cc.inputs[key]
            if not packet.is_empty():
                cc.outputs[key].add_packet(packet)


@register("bench.PassOne")
class PassOne(Calculator):
    """A pass-through of one stream, as an author would write it."""

    inputs = {"": Any}
    outputs = {"": Any}
    light = True
    stateless = True

    def process(self, cc: Any) -> None:
        cc.outputs[0].add_packet(cc.inputs[0])


@register("bench.AsyncPass")
class AsyncPass(PassOne):
    light = False

    async def process(self, cc: Any) -> None:
        cc.outputs[0].add_packet(cc.inputs[0])


@register("bench.Answer")
class Answer(PassOne):
    def process(self, cc: Any) -> None:
        cc.outputs[0].add(HttpResponse(b"{}"))


def chain(*calculators: str) -> str:
    lines = ['input_stream: "s0"', f'output_stream: "s{len(calculators)}"']
    for n, name in enumerate(calculators):
        lines.append(
            f'node {{ calculator: "{name}" input_stream: "s{n}" output_stream: "s{n + 1}" }}'
        )
    return "\n".join(lines)


def ours(calculator: str, nodes: int, packets: int) -> dict[str, float]:
    """Microseconds a packet: one at a time, and streamed."""
    graph = CalculatorGraph(graph_config='package: "bench"\n' + chain(*[calculator] * nodes))
    seen = 0

    def count(_: str, packet: Packet) -> None:
        nonlocal seen
        seen += 1

    graph.observe_output_stream(f"s{nodes}", count)
    graph.start_run()
    start = time.perf_counter()
    for n in range(packets):
        graph.add_packet_to_input_stream("s0", Packet(n, n))
        graph.wait_until_idle()
    middle = time.perf_counter()
    for n in range(packets, 2 * packets):
        graph.add_packet_to_input_stream("s0", Packet(n, n))
    graph.wait_until_idle()
    end = time.perf_counter()
    graph.close()
    assert seen == 2 * packets, f"{seen} packets came out of {2 * packets}"
    return {"latency": (middle - start) / packets * 1e6, "streamed": (end - middle) / packets * 1e6}


_MEDIAPIPE = """
import json, sys, time, types
for name in ("cv2", "matplotlib", "matplotlib.pyplot", "jax", "sounddevice"):
    sys.modules[name] = types.ModuleType(name)
from google.protobuf import text_format
from mediapipe.framework import calculator_pb2
from mediapipe.python import packet_creator
from mediapipe.python._framework_bindings import calculator_graph
text, last, packets = sys.argv[1], sys.argv[2], int(sys.argv[3])
config = text_format.Parse(text, calculator_pb2.CalculatorGraphConfig())
graph = calculator_graph.CalculatorGraph(graph_config=config)
seen = 0
def count(name, packet):
    global seen
    seen += 1
graph.observe_output_stream(last, count)
graph.start_run()
start = time.perf_counter()
for n in range(packets):
    graph.add_packet_to_input_stream("s0", packet_creator.create_int(n).at(n))
    graph.wait_until_idle()
middle = time.perf_counter()
for n in range(packets, 2 * packets):
    graph.add_packet_to_input_stream("s0", packet_creator.create_int(n).at(n))
graph.wait_until_idle()
end = time.perf_counter()
graph.close()
assert seen == 2 * packets
print(json.dumps({"latency": (middle - start) / packets * 1e6, "streamed": (end - middle) / packets * 1e6}))
"""


def mediapipes(python: str, nodes: int, packets: int) -> dict[str, float]:
    text = chain(*["PassThroughCalculator"] * nodes)
    done = subprocess.run(
        [python, "-c", _MEDIAPIPE, text, f"s{nodes}", str(packets)],
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(python: str | None) -> None:
    results: dict[str, list[dict[str, float]]] = {}
    for _ in range(ROUNDS):
        for name in ("PassThroughCalculator", "PassOne"):
            results.setdefault(name, []).append(ours(name, 6, 20_000))
        if python:
            results.setdefault("MediaPipe", []).append(mediapipes(python, 6, 20_000))
    print("chain of six, medians of", ROUNDS)
    for name, rounds in results.items():
        latency, streamed = (
            statistics.median(r[key] for r in rounds) for key in ("latency", "streamed")
        )
        print(f"  {name:22} {latency:7.1f} us one at a time {1e6 / streamed:10,.0f} packets/s")


async def _serve(requests: int, in_flight: int) -> float:
    """CPU microseconds a request, through the executor that serves models."""
    nodes = ["PassOne", "AsyncPass", "AsyncPass", "PassOne", "PassOne", "Answer"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph.pbtxt"
        file.write_text('package: "bench"\n' + chain(*nodes))
        executor = await GraphExecutor.open("bench", file)
    request = HttpRequest("/v3/embeddings", {"input": "text"})

    async def client(count: int) -> None:
        for _ in range(count):
            await executor.infer(request)

    async def load(count: int) -> None:
        await asyncio.gather(*(client(count // in_flight) for _ in range(in_flight)))

    await load(requests // 10)
    start = time.process_time()
    await load(requests)
    used = time.process_time() - start
    await executor.close()
    return used / requests * 1e6


def serve() -> None:
    costs = [asyncio.run(_serve(20_000, 64)) for _ in range(ROUNDS)]
    print(
        "serving path, six nodes of which two async, 64 in flight: "
        f"{statistics.median(costs):.1f} us of CPU a request"
    )


def flatness(packets: int) -> None:
    print("cost a packet and node, by number of nodes (streamed, one at a time)")
    for nodes in (10, 100, 1000):
        cost = ours("PassOne", nodes, max(40_000 // nodes, 400))
        print(
            f"  {nodes:5} nodes {cost['streamed'] / nodes:6.2f} us {cost['latency'] / nodes:6.2f} us"
        )
    graph = CalculatorGraph(graph_config='package: "bench"\n' + chain(*["PassOne"] * 6))
    graph.start_run()
    print(f"cost and memory over {packets:,} packets through six nodes")
    tenth = packets // 10
    for part in range(10):
        start = time.perf_counter()
        for n in range(part * tenth, (part + 1) * tenth):
            graph.add_packet_to_input_stream("s0", Packet(n, n))
        cost = (time.perf_counter() - start) / tenth * 1e6
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"  {(part + 1) * tenth:9,} {cost:6.2f} us {memory:5} MB")
    graph.close()


def start_up() -> None:
    plan = CalculatorGraph(graph_config='package: "bench"\n' + chain(*["PassOne"] * 6)).plan
    times = []
    for _ in range(300):
        start = time.perf_counter()
        graph = CalculatorGraph(plan=plan, resources={})
        graph.start_run()
        times.append((time.perf_counter() - start) * 1e6)
        graph.close()
    print(f"a graph of six nodes from its plan, started: {statistics.median(times):.0f} us")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mediapipe-python", help="a Python that can import mediapipe 0.10.21")
    parser.add_argument("--packets", type=int, default=1_000_000)
    args = parser.parse_args()
    compare(args.mediapipe_python)
    start_up()
    serve()
    flatness(args.packets)
    return 0


if __name__ == "__main__":
    sys.exit(main())
