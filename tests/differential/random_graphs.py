"""Graphs of MediaPipe's core calculators, drawn by lot: mostly right ones, and mostly wrong ones."""

from random import Random

OPTIONS = {
    "int": "packet { int_value: 3 }",
    "text": 'packet { string_value: "x" }',
    "two": "packet { bool_value: true } packet { float_value: 0.5 }",
}
SETTINGS = [
    "num_threads: 2",
    "executor { }",
    "max_queue_size: 5",
    'input_stream_handler { input_stream_handler: "ImmediateInputStreamHandler" }',
    'input_stream_handler { input_stream_handler: "FixedSizeInputStreamHandler" options {'
    " [mediapipe.FixedSizeInputStreamHandlerOptions.ext] { trigger_queue_size: 3 } } }",
]
WRONG_SETTINGS = [
    *SETTINGS,
    'executor { name: "gpu" }',
    "executor { } num_threads: 1",
    "executor { } executor { }",
    'executor { name: "e" type: "ThreadPoolExecutor" options {'
    " [mediapipe.ThreadPoolExecutorOptions.ext] { num_threads: 1 } } }",
]
WRONG_PORTS = ["1:a", "Aa", "A:", "T:01:a", "T:-1:a", ":a", "x:y:z", "T:10001:a", "", "T::a", "a b"]
WRONG_EXTRAS = [
    'executor: "e"',
    'executor: "zz"',
    'input_stream_info { tag_index: "Q" back_edge: true }',
    'input_stream_info { tag_index: "x" back_edge: true }',
    'input_stream_info { tag_index: ":0" back_edge: true }',
]


class RightGraph:
    """Nodes whose inputs are mostly written by earlier ones; then shuffled."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.given = [f"in{n}" for n in range(random.choice([1, 2, 3]))]
        self.streams = list(self.given)
        self.side_packets: list[str] = []

    def text(self) -> str:
        makers = [self.passing] * 6 + [self.gate, self.merge, self.loop, self.side, self.at_zero]
        nodes = [
            self.random.choice(makers)() for _ in range(self.random.choice([1, 2, 3, 4, 6, 9]))
        ]
        if self.random.random() < 0.7:
            self.random.shuffle(nodes)
        head = [f'input_stream: "{name}"' for name in self.given]
        head += self.random.choices(SETTINGS, k=self.random.random() < 0.2)
        return "\n".join([*head, *nodes])

    def new(self) -> str:
        self.streams.append(f"s{len(self.streams)}")
        return self.streams[-1]

    def any(self) -> str:
        return self.random.choice(self.streams)

    def node(self, calculator: str, *fields: str) -> str:
        name = self.random.choice(["", "", "n", "m", "PassThroughCalculator"])
        named = [f'name: "{name}"'] if name else []
        return " ".join(["node {", *named, f'calculator: "{calculator}"', *fields, "}"])

    def passing(self) -> str:
        keys: list[tuple[str, int]] = []
        for _ in range(self.random.choice([1, 1, 2, 3])):
            tag = self.random.choice(["", "T", "U"])
            keys.append((tag, sum(key[0] == tag for key in keys)))
        sources = {key: self.any() for key in keys}
        fields = []
        for field, names in (
            ("input_stream", sources),
            ("output_stream", {k: self.new() for k in keys}),
        ):
            for tag, index in self.random.sample(keys, len(keys)):
                short = not index and self.random.random() < 0.5
                port = f"{tag}:" * bool(tag) + f"{index}:" * bool(tag and not short)
                fields.append(f'{field}: "{port}{names[tag, index]}"')
        if self.side_packets and self.random.random() < 0.3:
            fields.append(f'input_side_packet: "{self.random.choice(self.side_packets)}"')
        return self.node("PassThroughCalculator", *fields)

    def gate(self) -> str:
        source, allow = self.any(), self.random.choice(self.given)
        ports = f'input_stream: "{source}" input_stream: "ALLOW:{allow}"'
        return self.node("GateCalculator", ports, f'output_stream: "{self.new()}"')

    def merge(self) -> str:
        ports = f'input_stream: "{self.any()}" input_stream: "{self.any()}"'
        return self.node("MergeCalculator", ports, f'output_stream: "{self.new()}"')

    def loop(self) -> str:
        later = f"s{len(self.streams) + self.random.choice([0, 1, 2])}"
        loop = self.random.choice([self.any(), later, later, later])
        main = self.any()
        return self.node(
            "PreviousLoopbackCalculator",
            f'input_stream: "MAIN:{main}" input_stream: "LOOP:{loop}"',
            f'output_stream: "PREV_LOOP:{self.new()}"',
            'input_stream_info { tag_index: "LOOP" back_edge: true }',
        )

    def side(self) -> str:
        self.side_packets.append(f"p{len(self.side_packets)}")
        kind = self.random.choice(["int", "text"])
        return self.node(
            "ConstantSidePacketCalculator",
            f'output_side_packet: "PACKET:{self.side_packets[-1]}" node_options: {{'
            " [type.googleapis.com/mediapipe.ConstantSidePacketCalculatorOptions]:"
            f" {{ {OPTIONS[kind]} }} }}",
        )

    def at_zero(self) -> str:
        side = self.random.choice(self.side_packets or ["from_outside"])
        return self.node(
            "SidePacketToStreamCalculator",
            f'input_side_packet: "{side}" output_stream: "AT_ZERO:{self.new()}"',
        )


class WrongGraph:
    """Nodes with ports by lot."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def text(self) -> str:
        parts = [self.node() for _ in range(self.random.choice([1, 1, 2, 2, 3, 4]))]
        given = self.random.sample("abcdef", self.random.choice([1, 2, 3, 3, 4]))
        parts += [f'input_stream: "{name}"' for name in given]
        parts += self.random.choices(WRONG_SETTINGS, k=self.random.random() < 0.3)
        self.random.shuffle(parts)
        return "\n".join(parts)

    def node(self) -> str:
        if self.random.random() < 0.05:
            return 'node { calculator: "NobodyHasThisCalculator" }'
        count = self.random.choice([1, 1, 1, 2, 3])
        fields = self.ports("input_stream", count, "abcdef")
        fields += self.ports("output_stream", self.random.choice([count, count, 1]), "abcdefghijk")
        fields += self.ports("input_side_packet", self.random.random() < 0.1, "abc")
        fields += self.random.choices(WRONG_EXTRAS, k=self.random.random() < 0.15)
        return " ".join(["node {", 'calculator: "PassThroughCalculator"', *fields, "}"])

    def ports(self, field: str, count: int, names: str) -> list[str]:
        found = []
        for _ in range(count):
            tag = self.random.choice(["", "", "", "T:", "T:0:", "T:1:", "U:"])
            port = tag + self.random.choice(names)
            if self.random.random() < 0.03:
                port = self.random.choice(WRONG_PORTS)
            found.append(f'{field}: "{port}"')
        return found
