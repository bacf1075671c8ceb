"""Random graphs of the core calculators that MediaPipe's wheel registers, and random packets for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from benchmarks.differential.case import Case, Step

PRE_STREAM = -(2**63) + 2
POST_STREAM = 2**63 - 3

ANY = ("int", "string", "bool", "float", "ints", "floats", "strings", "any")
WORDS = ("", "a", "bc", "é", "日本")
CONTROLS = ("ALLOW", "DISALLOW")
TWO_IN_FLIGHT = "max_in_flight: 2"

Node = Callable[["_Builder"], None]


def random_case(seed: int) -> Case:
    """The same case for the same seed."""
    return _Builder(Random(seed)).case()


class _Builder:
    """A graph while it grows: nodes read streams that are there, and add their outputs."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.streams: dict[str, str] = {}
        """Name to kind."""
        self.nodes: list[str] = []
        self.side_packets: list[tuple[str, str, Any]] = []
        self.observed_side_packets: list[str] = []
        self.deterministic = True
        """The packets do not depend on when the graph rests."""

    def case(self) -> Case:
        random = self.random
        kinds = [
            "int",
            "bool",
            *random.choices(["int", "string", "bool", "floats", "strings"], k=2),
        ]
        for number, kind in enumerate(random.sample(kinds, k=random.randint(1, len(kinds)))):
            self.streams[f"in{number}"] = kind
        inputs = dict(self.streams)
        for _ in range(random.randint(1, 6)):
            random.choice(NODES)(self)
        nodes = list(self.nodes)
        random.shuffle(nodes)
        stepwise = not self.deterministic or random.random() < 0.7
        # On the application's own thread the order of calls is the scheduler's alone.
        header = 'executor { type: "ApplicationThreadExecutor" }' if stepwise else "num_threads: 2"
        if random.random() < 0.2:
            header += f" max_queue_size: {random.choice([1, 2, 5, -1])}"
        if random.random() < 0.05:
            header += ' input_stream_handler { input_stream_handler: "DefaultInputStreamHandler" }'
        if stepwise:
            # With two calls in flight it is by chance how much comes out between two others.
            nodes = [node.replace(TWO_IN_FLIGHT, "") for node in nodes]
        return Case(
            nodes=tuple(nodes),
            inputs=tuple(inputs),
            observed=tuple(self.streams),
            steps=tuple(self.steps(inputs)),
            header=header,
            side_packets=tuple(self.side_packets),
            observed_side_packets=tuple(self.observed_side_packets),
            stepwise=stepwise,
        )

    # Packets

    def steps(self, inputs: dict[str, str]) -> list[Step]:
        random = self.random
        next_time = dict.fromkeys(inputs, random.choice([-3, 0, 10]))
        if random.random() < 0.08:
            name = random.choice(list(inputs))
            time = random.choice([PRE_STREAM, POST_STREAM])
            first: list[Step] = [("add", name, time, inputs[name], self.value(inputs[name]))]
            if random.random() < 0.8:
                del next_time[name]
        else:
            first = []
        return first + self._ordinary_steps(inputs, next_time)

    def _ordinary_steps(self, inputs: dict[str, str], next_time: dict[str, int]) -> list[Step]:
        random = self.random
        steps: list[Step] = []
        pace = random.choice([1, 3, 10])
        for _ in range(random.randint(3, 25)):
            if not next_time:
                break
            name = min(next_time, key=lambda each: (next_time[each] + random.randint(0, 4), each))
            time = next_time[name] + random.choice([0, 0, 0, random.randint(0, pace)])
            chance = random.random()
            if chance < 0.8:
                steps.append(("add", name, time, inputs[name], self.value(inputs[name])))
                next_time[name] = time + 1
            elif chance < 0.93:
                steps.append(("bound", name, time))
                next_time[name] = time + 1
            elif chance < 0.97:
                steps.append(("close", name))
                del next_time[name]
            elif chance < 0.985:
                late = time - random.randint(1, 5)
                steps.append(("add", name, late, inputs[name], self.value(inputs[name])))
        return steps

    def value(self, kind: str) -> Any:
        random = self.random
        if kind in ("ints", "floats", "strings"):
            return [self.value(kind[:-1]) for _ in range(random.choice([0, 1, 2, 2, 3, 3, 5]))]
        return {
            "int": lambda: random.randint(-100, 100),
            "string": lambda: random.choice(WORDS),
            "bool": lambda: random.random() < 0.5,
            "float": lambda: random.randint(-8, 8) / 4,
        }[kind]()

    # Parts of graphs

    def new(self, kind: str, name: str = "") -> str:
        name = name or f"s{len(self.streams)}"
        self.streams[name] = kind
        return name

    def pick(self, kinds: Sequence[str] = ANY, count: int = 1) -> list[str]:
        """Streams of these kinds, none if there are none; one may come twice."""
        fitting = [name for name, kind in self.streams.items() if kind in kinds]
        return self.random.choices(fitting, k=count) if fitting else []

    def side_packet(self, kind: str, value: Any) -> str:
        name = f"p{len(self.side_packets)}"
        self.side_packets.append((name, kind, value))
        return name

    def add(
        self,
        calculator: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        *,
        side: Sequence[str] = (),
        side_out: Sequence[str] = (),
        options: str = "",
        extra: str = "",
    ) -> None:
        fields = [f'calculator: "{calculator}"']
        fields += [f'input_stream: "{each}"' for each in inputs]
        fields += [f'output_stream: "{each}"' for each in outputs]
        fields += [f'input_side_packet: "{each}"' for each in side]
        fields += [f'output_side_packet: "{each}"' for each in side_out]
        if options:
            kind, _, fields_of_options = options.partition(" ")
            fields.append(f"options {{ [mediapipe.{kind}.ext] {{ {fields_of_options} }} }}")
        self.nodes.append(f"node {{ {' '.join([*fields, extra])} }}")

    def handler(self, inputs: Sequence[str], chance: float = 0.3) -> str:
        """Sometimes an input stream handler of the node's own."""
        if self.random.random() > chance:
            return ""
        name = self.random.choice(["Default", "Immediate", "Immediate", "FixedSize"])
        if len(set(inputs)) < len(inputs):
            # Two inputs that get one packet at once are one call or two, by chance.
            name = "Default"
        text = f'input_stream_handler: "{name}InputStreamHandler"'
        if name != "Default":
            self.deterministic = False
        if name == "FixedSize":
            target = self.random.randint(1, 2)
            trigger = target + self.random.randint(0, 2)
            fixed = self.random.choice(["true", "false"])
            text += (
                " options { [mediapipe.FixedSizeInputStreamHandlerOptions.ext] {"
                f" trigger_queue_size: {trigger} target_queue_size: {target} fixed_min_size: {fixed} }} }}"
            )
        return f"input_stream_handler {{ {text} }}"


def _pass_through(b: _Builder) -> None:
    inputs = b.pick(count=b.random.randint(1, 4))
    tags = b.random.sample(["", "", "A:", "B:", "C:"], k=len(inputs))
    outputs = [b.new(b.streams[name]) for name in inputs]
    in_flight = TWO_IN_FLIGHT if b.random.random() < 0.1 else ""
    b.add(
        "PassThroughCalculator",
        [tag + name for tag, name in zip(tags, inputs, strict=True)],
        [tag + name for tag, name in zip(tags, outputs, strict=True)],
        extra=in_flight or b.handler(inputs),
    )


def _gate(b: _Builder) -> None:
    data = b.pick(count=b.random.randint(1, 2))
    inputs, side, options = list(data), [], "GateCalculatorOptions"
    control = b.random.choice(CONTROLS)
    way = b.random.choice(["stream", "stream", "stream", "side", "option"])
    streams = b.pick(["bool"])
    if way == "stream" and streams:
        inputs.append(f"{control}:{streams[0]}")
    elif way == "side":
        side.append(f"{control}:{b.side_packet('bool', b.random.random() < 0.5)}")
    elif b.random.random() < 0.7:
        options += " allow: true"
    if b.random.random() < 0.4:
        options += " empty_packets_as_allow: true"
    if b.random.random() < 0.2:
        options += f" initial_gate_state: {b.random.choice(['GATE_ALLOW', 'GATE_DISALLOW'])}"
    outputs = [b.new(b.streams[name]) for name in data]
    if b.random.random() < 0.4:
        outputs.append(f"STATE_CHANGE:{b.new('bool')}")
    b.add(
        "GateCalculator",
        inputs,
        outputs,
        side=side,
        options=options,
        extra=b.handler([each.rpartition(":")[2] for each in inputs], 0.15),
    )


def _presence(b: _Builder) -> None:
    b.deterministic = False
    b.add("PacketPresenceCalculator", [f"PACKET:{b.pick()[0]}"], [f"PRESENCE:{b.new('bool')}"])


def _merge(b: _Builder) -> None:
    inputs = b.pick(count=b.random.randint(1, 3))
    kinds = {b.streams[name] for name in inputs}
    b.add(
        "MergeCalculator",
        inputs,
        [b.new(kinds.pop() if len(kinds) == 1 else "any")],
        extra=b.handler(inputs, 0.2),
    )


def _concatenate(b: _Builder) -> None:
    kind, name = b.random.choice([("string", "String"), ("float", "Float")])
    inputs = b.pick([kind, kind + "s"], b.random.randint(1, 3))
    if not inputs:
        return
    options = "ConcatenateVectorCalculatorOptions"
    if b.random.random() < 0.4:
        options += " only_emit_if_all_present: true"
    calculator = f"Concatenate{name}VectorCalculator"
    b.add(calculator, inputs, [b.new(kind + "s")], options=options)


def _split(b: _Builder) -> None:
    inputs = b.pick(["floats"])
    if not inputs:
        return
    element_only = b.random.random() < 0.4
    ranges, outputs = "", []
    for _ in range(b.random.randint(1, 2)):
        begin = b.random.randint(0, 1)
        ranges += f" ranges {{ begin: {begin} end: {begin + (1 if element_only else b.random.randint(1, 2))} }}"
        outputs.append(b.new("float" if element_only else "floats"))
    if element_only:
        ranges += " element_only: true"
    b.add(
        "SplitFloatVectorCalculator",
        inputs,
        outputs,
        options=f"SplitVectorCalculatorOptions{ranges}",
    )


def _loopback(b: _Builder) -> None:
    b.deterministic = False
    main = b.pick()[0]
    kind = b.streams[main]
    looped, previous, beside = b.new(kind), b.new(kind), b.new(kind)
    b.add(
        "PreviousLoopbackCalculator",
        [f"MAIN:{main}", f"LOOP:{looped}"],
        [f"PREV_LOOP:{previous}"],
        extra='input_stream_info { tag_index: "LOOP" back_edge: true }',
    )
    if b.random.random() < 0.5 and b.pick(["bool"]):
        middle = b.new(kind)
        b.add("PassThroughCalculator", [main, previous], [middle, beside])
        control = f"ALLOW:{b.pick(['bool'])[0]}"
        b.add("GateCalculator", [middle, control], [looped])
    else:
        b.add("PassThroughCalculator", [main, previous], [looped, beside])


def _flow_limiter(b: _Builder) -> None:
    b.deterministic = False
    data = b.pick(count=b.random.randint(1, 2))
    outputs = [b.new(b.streams[name]) for name in data]
    finished = b.new(b.streams[data[0]])
    options = f"FlowLimiterCalculatorOptions max_in_flight: {b.random.randint(1, 2)}"
    options += f" max_in_queue: {b.random.randint(0, 2)}"
    if b.random.random() < 0.3:
        options += f" in_flight_timeout: {b.random.randint(1, 5)}"
    out = list(outputs)
    if b.random.random() < 0.6:
        out.append(f"ALLOW:{b.new('bool')}")
    b.add(
        "FlowLimiterCalculator",
        [*data, f"FINISHED:{finished}"],
        out,
        options=options,
        extra='input_stream_info { tag_index: "FINISHED" back_edge: true }',
    )
    beside = b.pick(["bool"])
    if beside and b.random.random() < 0.6:
        # What is on its way waits for another stream, so that there is something to limit.
        b.add("PassThroughCalculator", [outputs[0], beside[0]], [finished, b.new("bool")])
    else:
        b.add("PassThroughCalculator", [outputs[0]], [finished])


def _switch(b: _Builder) -> None:
    b.deterministic = False
    data = b.pick(count=b.random.randint(1, 2))
    inputs, side, options = list(data), [], "SwitchContainerOptions"
    way = b.random.choice(["stream", "stream", "side", "option"])
    streams = b.pick(["bool"])
    if way == "stream" and streams:
        inputs.append(f"ENABLE:{streams[0]}")
        if b.random.random() < 0.3:
            options += " async_selection: true"
    elif way == "side":
        side.append(f"ENABLE:{b.side_packet('bool', b.random.random() < 0.5)}")
    if way == "option" or b.random.random() < 0.3 or not (side or len(inputs) > len(data)):
        options += b.random.choice([" select: 0", " select: 1", " enable: true", " enable: false"])
    if b.random.random() < 0.2:
        options += " synchronize_io: true"
    contained = [
        'contained_node { calculator: "PassThroughCalculator" }',
        'contained_node { calculator: "GateCalculator" options {'
        " [mediapipe.GateCalculatorOptions.ext] { allow: true } } }",
        'contained_node { calculator: "GateCalculator" }',
    ]
    options += " " + " ".join(b.random.choices(contained, k=2))
    outputs = [b.new(b.streams[name]) for name in data]
    b.add("SwitchContainer", inputs, outputs, side=side, options=options)


def _side_packet_to_stream(b: _Builder) -> None:
    kind, value = b.random.choice(
        [("int", "int_value: 7"), ("string", 'string_value: "x"'), ("bool", "bool_value: true")]
    )
    name = f"c{len(b.nodes)}"
    b.add(
        "ConstantSidePacketCalculator",
        [],
        [],
        side_out=[f"PACKET:{name}"],
        options=f"ConstantSidePacketCalculatorOptions packet {{ {value} }}",
    )
    b.observed_side_packets.append(name)
    at = b.random.choice(
        ["AT_TICK", "AT_TICK", "AT_TICK", "AT_ZERO", "AT_PRESTREAM", "AT_POSTSTREAM"]
    )
    inputs = [f"TICK:{b.pick()[0]}"] if at == "AT_TICK" else []
    b.add("SidePacketToStreamCalculator", inputs, [f"{at}:{b.new(kind)}"], side=[name])


def _string_to_int(b: _Builder) -> None:
    text = b.random.choice(["12", "-3", " 5", "4294967295", "2147483648", "1.5", "", "+7", "0x1"])
    calculator = b.random.choice(
        [
            "StringToIntCalculator",
            "StringToInt32Calculator",
            "StringToUintCalculator",
            "StringToUint64Calculator",
        ]
    )
    name = f"c{len(b.nodes)}"
    b.add(calculator, [], [], side=[b.side_packet("string", text)], side_out=[name])
    b.observed_side_packets.append(name)


def _loop(b: _Builder) -> None:
    b.deterministic = False
    inputs = b.pick(["floats"])
    if not inputs:
        return
    clones = b.pick() if b.random.random() < 0.3 else []
    item, end, changed = b.new("float"), b.new("timestamp"), b.new("float")
    clone_out = [f"CLONE:{b.new(b.streams[clones[0]])}"] if clones else []
    b.add(
        "BeginLoopFloatCalculator",
        [f"ITERABLE:{inputs[0]}", *(f"CLONE:{name}" for name in clones)],
        [f"ITEM:{item}", f"BATCH_END:{end}", *clone_out],
    )
    if clones and b.streams[clones[0]] == "bool":
        b.add("GateCalculator", [item, clone_out[0].replace("CLONE", "ALLOW")], [changed])
    else:
        b.add("PassThroughCalculator", [item], [changed])
    b.add(
        "EndLoopFloatCalculator",
        [f"ITEM:{changed}", f"BATCH_END:{end}"],
        [f"ITERABLE:{b.new('floats')}"],
    )


def _strings_loop(b: _Builder) -> None:
    b.deterministic = False
    inputs = b.pick(["strings"])
    if not inputs:
        return
    item, end, present = b.new("string"), b.new("timestamp"), b.new("bool")
    b.add(
        "BeginLoopStringCalculator", [f"ITERABLE:{inputs[0]}"], [f"ITEM:{item}", f"BATCH_END:{end}"]
    )
    b.add("PacketPresenceCalculator", [f"PACKET:{item}"], [f"PRESENCE:{present}"])
    b.add(
        "EndLoopBooleanCalculator",
        [f"ITEM:{present}", f"BATCH_END:{end}"],
        [f"ITERABLE:{b.new('bools')}"],
    )


def _sequencer(b: _Builder) -> None:
    b.deterministic = False
    source, tick = b.pick(count=2)
    if source == tick:
        return
    handler = 'input_stream_handler { input_stream_handler: "DefaultInputStreamHandler" }'
    b.add(
        "PacketSequencerCalculator",
        [f"INPUT:{source}", f"TICK:{tick}"],
        [f"OUTPUT:{b.new(b.streams[source])}"],
        extra=b.random.choice(["", handler]),
    )


NODES: Sequence[Node] = (
    _pass_through,
    _pass_through,
    _gate,
    _gate,
    _presence,
    _merge,
    _concatenate,
    _split,
    _loopback,
    _flow_limiter,
    _switch,
    _side_packet_to_stream,
    _string_to_int,
    _loop,
    _strings_loop,
    _sequencer,
)
