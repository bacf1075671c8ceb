"""Calculators whose answers one can compute by head, after those of MediaPipe's own tests."""

import asyncio
from threading import get_ident
from typing import Any

from calcgraph.runtime.calculator import STOP, Calculator
from calcgraph.runtime.contract import optional
from calcgraph.runtime.packet import NO_VALUE, Packet
from calcgraph.runtime.registry import register


def trial(name):
    """Known to graphs that say `package: "trial"`."""
    return register(f"trial.{name}")


class AnyToAny(Calculator):
    """As many outputs as inputs, of the same tags and types."""

    light = True

    @classmethod
    def contract(cls, contract):
        for key in contract.inputs:
            contract.inputs[key].set_any()
        for key in contract.outputs:
            contract.outputs[key].set_any()
        for key in contract.input_side_packets:
            contract.input_side_packets[key].set_any()
        for key in contract.output_side_packets:
            contract.output_side_packets[key].set_any()


@trial("Pass")
class Pass(AnyToAny):
    """Copies what is there, headers and side packets included."""

    def open(self, cc):
        for key in cc.inputs:
            if not cc.inputs.header(key).is_empty():
                cc.outputs[key].set_header(cc.inputs.header(key))
        for key in cc.output_side_packets:
            cc.output_side_packets[key].set(cc.input_side_packets[key])

    def process(self, cc):
        cc.counter("PassThrough").increment()
        for key in cc.inputs:
            packet = cc.inputs[key]
            if not packet.is_empty():
                cc.outputs[key].add_packet(packet)


@trial("ThreadPass")
class ThreadPass(Pass):
    light = False


@trial("AsyncPass")
class AsyncPass(Pass):
    light = False

    async def process(self, cc):
        await asyncio.sleep(0)
        super().process(cc)


@trial("PassNoOffset")
class PassNoOffset(Pass):
    timestamp_offset = None


@trial("Merge")
class Merge(AnyToAny):
    """One text an input set: "3: a empty c"."""

    timestamp_offset = None

    def process(self, cc):
        values = [p.value if not p.is_empty() else "empty" for p in cc.inputs.values()]
        cc.outputs[0].add(f"{cc.timestamp}: {' '.join(map(str, values))}")


@trial("Add")
class Add(AnyToAny):
    """The sum of what is there."""

    def process(self, cc):
        cc.outputs[0].add(sum(p.value for p in cc.inputs.values() if not p.is_empty()))


@trial("EarlyAdd")
class EarlyAdd(Add):
    input_stream_handler = "EarlyCloseInputStreamHandler"


@trial("PlusOne")
class PlusOne(AnyToAny):
    def process(self, cc):
        cc.outputs[0].add(cc.inputs[0].value + 1)


@trial("Count")
class Count(Calculator):
    """A source: `count` numbers from `start`, at their own times times `step`, `batch` a call."""

    outputs = {"": int}

    def open(self, cc):
        options = cc.options
        self.count = int(options.get("count", 5))
        self.batch = int(options.get("batch", 1))
        self.start = int(options.get("start", 0))
        self.step = int(options.get("step", 1))
        self.error_after = int(options.get("error_after", -1))
        self.made = 0

    def process(self, cc):
        for _ in range(self.batch):
            if self.made == self.error_after:
                raise ValueError("the count was told to fail")
            if self.made == self.count:
                return STOP
            cc.outputs[0].add(self.start + self.made, self.made * self.step)
            self.made += 1
        return STOP if self.made == self.count else None


@trial("Endless")
class Endless(Calculator):
    """A source that never stops by itself."""

    outputs = {"": int}

    def open(self, cc):
        self.made = 0

    def process(self, cc):
        cc.outputs[0].add(self.made, self.made)
        self.made += 1


@trial("UnitDelay")
class UnitDelay(AnyToAny):
    """0 at 0, then every packet one tick later."""

    timestamp_offset = 1

    def open(self, cc):
        cc.outputs[0].add(0, 0)

    def process(self, cc):
        cc.outputs[0].add(cc.inputs[0].value, cc.timestamp + 1)


@trial("Lambda")
class Lambda(Calculator):
    """Does what its side packets OPEN, PROCESS and CLOSE, functions of the context, say."""

    light = True
    timestamp_offset = None
    input_side_packets = {"OPEN": optional(Any), "PROCESS": optional(Any), "CLOSE": optional(Any)}

    @classmethod
    def contract(cls, contract):
        AnyToAny.contract.__func__(cls, contract)

    def open(self, cc):
        return self._do(cc, "OPEN")

    def process(self, cc):
        return self._do(cc, "PROCESS")

    def close(self, cc):
        return self._do(cc, "CLOSE")

    def _do(self, cc, what):
        if what in cc.input_side_packets:
            return cc.input_side_packets[what].value(cc)
        return None


@trial("ThreadLambda")
class ThreadLambda(Lambda):
    light = False


@trial("AwaitingLambda")
class AwaitingLambda(Lambda):
    light = False

    async def process(self, cc):
        await asyncio.sleep(0)
        self._do(cc, "PROCESS")
        await asyncio.sleep(0)


@trial("BoundLambda")
class BoundLambda(Lambda):
    process_timestamp_bounds = True


@trial("ThreadBoundLambda")
class ThreadBoundLambda(BoundLambda):
    light = False


@trial("BoundToPacket")
class BoundToPacket(AnyToAny):
    """The time of each input, packet or bound, as a packet at the input time."""

    timestamp_offset = None
    process_timestamp_bounds = True

    def process(self, cc):
        for key in cc.inputs:
            cc.outputs[key].add(int(cc.inputs[key].timestamp))


@trial("ProcessBoundToPacket")
class ProcessBoundToPacket(AnyToAny):
    """The input time on those outputs whose input is settled exactly there."""

    timestamp_offset = None
    process_timestamp_bounds = True

    def process(self, cc):
        for key in cc.inputs:
            if cc.inputs[key].timestamp == cc.timestamp:
                cc.outputs[key].add(int(cc.timestamp))


@trial("Future")
class Future(AnyToAny):
    """Every packet three ticks later, and says so."""

    timestamp_offset = 3

    def process(self, cc):
        cc.outputs[0].add_packet(cc.inputs[0].at(cc.timestamp + 3))


@trial("OffsetBound")
class OffsetBound(AnyToAny):
    """Never writes; its offset speaks for it."""

    def process(self, cc):
        pass


@trial("EvenFilter")
class EvenFilter(AnyToAny):
    def process(self, cc):
        if cc.inputs[0].value % 2 == 0:
            cc.outputs[0].add_packet(cc.inputs[0])


@trial("SilentEvenFilter")
class SilentEvenFilter(EvenFilter):
    """Does not say that it dropped something."""

    timestamp_offset = None


@trial("EmptyOnEven")
class EmptyOnEven(AnyToAny):
    """An empty packet at even times, nothing at odd ones."""

    timestamp_offset = None

    def process(self, cc):
        if cc.timestamp % 2 == 0:
            cc.outputs[0].add_packet(Packet(NO_VALUE, cc.timestamp))


@trial("Valve")
class Valve(Calculator):
    """Lets IN through while GATE is true; says by bounds what it holds back."""

    inputs = {"": Any, "GATE": bool}
    outputs = {"": Any}
    timestamp_offset = None
    light = True

    def process(self, cc):
        if cc.inputs["GATE"].value:
            cc.counter("pass").increment()
            cc.outputs[0].add_packet(cc.inputs[0])
        else:
            cc.counter("block").increment()
            cc.outputs[0].set_next_timestamp_bound(cc.timestamp + 1)


@trial("TimeShift")
class TimeShift(Calculator):
    """Moves packets by the side packet SHIFT, as a timestamp offset."""

    inputs = {"": Any}
    outputs = {"": Any}
    input_side_packets = {"SHIFT": int}
    light = True

    def open(self, cc):
        self.shift = cc.input_side_packets["SHIFT"].value
        cc.set_offset(self.shift)

    def process(self, cc):
        cc.outputs[0].add_packet(cc.inputs[0].at(cc.timestamp + self.shift))


@trial("Blocker")
class Blocker(AnyToAny):
    """Takes a permit of the side packet PERMITS, a semaphore, before it passes a packet on."""

    light = False
    input_side_packets = {"PERMITS": Any}

    def process(self, cc):
        cc.input_side_packets["PERMITS"].value.acquire()
        cc.outputs[0].add_packet(cc.inputs[0])


@trial("Decimator")
class Decimator(AnyToAny):
    """Every 101st packet, and no word of the others."""

    timestamp_offset = None

    def open(self, cc):
        self.seen = 0

    def process(self, cc):
        if self.seen % 101 == 0:
            cc.outputs[0].add_packet(cc.inputs[0])
        self.seen += 1


@trial("SideAdd")
class SideAdd(AnyToAny):
    """A node of side packets only: their sum."""

    def open(self, cc):
        total = sum(packet.value for packet in cc.input_side_packets.values())
        cc.output_side_packets[0].set(total)


@trial("SideToStream")
class SideToStream(Calculator):
    """A source: the side packet at POST_STREAM."""

    input_side_packets = {"": Any}
    outputs = {"": Any}

    def process(self, cc):
        from calcgraph.runtime.timestamp import POST_STREAM

        cc.outputs[0].add(cc.input_side_packets[0].value, POST_STREAM)
        return STOP


@trial("StreamToSide")
class StreamToSide(Calculator):
    """Its first packet becomes a side packet."""

    inputs = {"": Any}
    output_side_packets = {"": Any}
    light = True

    def open(self, cc):
        self.seen = False

    def process(self, cc):
        if not self.seen:
            cc.output_side_packets[0].set(cc.inputs[0].value)
        self.seen = True


@trial("Fail")
class Fail(Calculator):
    """Raises `error` in the method that its options name, at the time they name."""

    inputs = {"": Any}
    outputs = {"": Any}
    light = True

    def open(self, cc):
        self.method = cc.options.get("method", "process")
        self.time = int(cc.options.get("time", 0))
        if self.method == "open":
            raise ValueError("told to fail")

    def process(self, cc):
        if self.method == "process" and cc.timestamp >= self.time:
            raise ValueError("told to fail")
        cc.outputs[0].add_packet(cc.inputs[0])

    def close(self, cc):
        if self.method == "close":
            raise ValueError("told to fail")


@trial("ThreadFail")
class ThreadFail(Fail):
    light = False


@trial("AsyncFail")
class AsyncFail(Fail):
    light = False

    async def process(self, cc):
        await asyncio.sleep(0)
        super().process(cc)


@trial("WhichThread")
class WhichThread(AnyToAny):
    """The identity of the thread that runs it."""

    light = False

    def process(self, cc):
        cc.outputs[0].add(get_ident())
