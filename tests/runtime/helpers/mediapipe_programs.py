"""Programs as people write them for MediaPipe's Python binding, after those in its calculator_graph_test.py.

Each takes `mp`, which is `mediapipe` or what stands in for it, and `calculator_pb2`; nothing else tells
whether it runs on MediaPipe or on calcgraph. It returns what it saw, in values that JSON can hold.
"""

import os
import tempfile

from google.protobuf import text_format

PASS_THROUGH = """
  max_queue_size: 1
  input_stream: 'in'
  output_stream: 'out'
  node {
    calculator: 'PassThroughCalculator'
    input_stream: 'in'
    output_stream: 'out'
  }
"""
TWO_INPUTS = """
  input_stream: 'in'
  input_stream: 'other'
  node {
    calculator: 'PassThroughCalculator'
    input_stream: 'in'
    input_stream: 'other'
    output_stream: 'out'
    output_stream: 'other_out'
  }
"""
TO_NUMBER = """
  node {
    calculator: 'StringToUint64Calculator'
    input_side_packet: 'string'
    output_side_packet: 'number'
  }
"""


def refused(deed, quote=""):
    """How the deed fails: the class that people catch, and whether the text says `quote`."""
    try:
        deed()
    except (ValueError, RuntimeError, OSError, TypeError, OverflowError) as error:
        caught = (FileNotFoundError, OverflowError, RuntimeError, ValueError, TypeError)
        kind = next(each.__name__ for each in caught if isinstance(error, each))
        return [kind, quote in str(error) or str(error)]
    return ["nothing was raised"]


def hello(mp, graph):
    """Two packets, stamped in the two ways, through a graph that passes them on."""
    packet = mp.packet_creator.create_string("hello world")
    out = []
    graph.observe_output_stream("out", lambda _, packet: out.append(packet))
    graph.start_run()
    graph.add_packet_to_input_stream(stream="in", packet=packet, timestamp=0)
    graph.add_packet_to_input_stream(stream="in", packet=packet.at(1))
    graph.close()
    return [
        graph.graph_input_stream_add_mode == mp.GraphInputStreamAddMode.WAIT_TILL_NOT_FULL,
        graph.max_queue_size,
        graph.has_error(),
        graph.get_combined_error_message(),
        [(packet.timestamp.value, mp.packet_getter.get_str(packet)) for packet in out],
        [packet.timestamp == time for time, packet in enumerate(out)],
    ]


def every_way_to_give_a_graph(mp, calculator_pb2):
    message = text_format.Parse(PASS_THROUGH, calculator_pb2.CalculatorGraphConfig())
    validated = mp.ValidatedGraphConfig()
    before = validated.initialized()
    validated.initialize(graph_config=PASS_THROUGH)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "graph.binarypb")
        with open(path, "wb") as file:
            file.write(message.SerializeToString())
        of_file = mp.CalculatorGraph(binary_graph_path=path)
    return [
        before,
        validated.initialized(),
        hello(mp, mp.CalculatorGraph(graph_config=message)),
        hello(mp, mp.CalculatorGraph(graph_config=PASS_THROUGH)),
        hello(mp, mp.CalculatorGraph(validated_graph_config=validated)),
        hello(mp, of_file),
    ]


def graphs_that_cannot_be(mp, calculator_pb2):
    def node(calculator, *inputs):
        streams = "".join(f"input_stream: '{name}' " for name in inputs)
        return f"node {{ calculator: '{calculator}' {streams} output_stream: 'out' }}"

    def graph(**given):
        return lambda: mp.CalculatorGraph(**given)

    validated = mp.ValidatedGraphConfig()
    validated.initialize(graph_config=PASS_THROUGH)
    return [
        refused(graph(binary_graph_path="/nowhere/abc.binarypb")),
        refused(
            graph(graph_config=node("PassThroughCalculator", "in", "in")),
            "Input and output streams to PassThroughCalculator must use matching tags and indexes.",
        ),
        refused(
            graph(graph_config=node("SomeUnknownCalculator", "in")),
            'Unable to find Calculator "SomeUnknownCalculator"',
        ),
        refused(
            graph(graph_config=node("PassThroughCalculator", "in")),
            "does not have a corresponding output stream.",
        ),
        refused(graph(), "Please provide one of the following: "),
        refused(
            graph(graph_config=PASS_THROUGH, validated_graph_config=validated),
            "Please provide one of the following: ",
        ),
    ]


def times_that_do_not_rise(mp, calculator_pb2):
    """MediaPipe tells of it at `wait_until_idle`, calcgraph when the packet is added: in one block here."""
    graph = mp.CalculatorGraph(graph_config=PASS_THROUGH)
    packet = mp.packet_creator.create_string("hello world")
    graph.start_run()
    graph.add_packet_to_input_stream(stream="in", packet=packet.at(0))
    graph.wait_until_idle()

    def again():
        graph.add_packet_to_input_stream(stream="in", packet=packet.at(0))
        graph.wait_until_idle()

    seen = [refused(again, "Current minimum expected timestamp is 1 but received 0.")]
    seen.append(graph.has_error())
    seen.append("received 0" in graph.get_combined_error_message())
    seen.append(refused(graph.close, "Current minimum expected timestamp is 1 but received 0."))
    return seen


def a_sequence(mp, calculator_pb2):
    out = []
    graph = mp.CalculatorGraph(graph_config=PASS_THROUGH)
    graph.observe_output_stream("out", lambda _, packet: out.append(packet))
    graph.start_run()
    packet = mp.packet_creator.create_string("hello world")
    for time in range(1000):
        graph.add_packet_to_input_stream(stream="in", packet=packet, timestamp=time)
    graph.wait_until_idle()
    seen = [(p.timestamp.value, mp.packet_getter.get_str(p)) for p in out]
    graph.close()
    return [len(seen), seen == [(time, "hello world") for time in range(1000)]]


def side_packets(mp, calculator_pb2):
    graph = mp.CalculatorGraph(graph_config=TO_NUMBER)
    string = mp.packet_creator.create_string
    seen = [
        refused(graph.start_run, 'Side packet "string" is required but was not provided.'),
        refused(lambda: graph.start_run({"string": mp.packet_creator.create_int(4)})),
    ]
    for text in ("42", "43"):
        graph.start_run(input_side_packets={"string": string(text)})
        graph.wait_until_done()
        seen.append(mp.packet_getter.get_uint(graph.get_output_side_packet("number")))
    seen.append(graph.has_error())
    seen.append(refused(lambda: graph.get_output_side_packet("nothing")))
    return seen


def calls_at_the_wrong_time(mp, calculator_pb2):
    graph = mp.CalculatorGraph(graph_config=PASS_THROUGH)
    packet = mp.packet_creator.create_int(1)

    def add(stream="in", **when):
        return lambda: graph.add_packet_to_input_stream(stream=stream, packet=packet, **when)

    seen = [
        refused(add(timestamp=0)),
        refused(lambda: graph.observe_output_stream("nothing", lambda _, packet: None)),
    ]
    graph.start_run()
    seen += [
        refused(add(), " can't be the timestamp of a Packet in a stream."),
    ]
    graph.close()
    return seen


def waiting_for_output(mp, calculator_pb2):
    out = []
    graph = mp.CalculatorGraph(graph_config=PASS_THROUGH)
    graph.observe_output_stream("out", lambda _, packet: out.append(packet))
    graph.start_run()
    for time in range(3):
        packet = mp.packet_creator.create_int(time)
        graph.add_packet_to_input_stream(stream="in", packet=packet, timestamp=time)
        graph.wait_for_observed_output()
    seen = [mp.packet_getter.get_int(packet) for packet in out]
    graph.close_input_stream("in")
    graph.wait_until_done()
    return seen


def bounds(mp, calculator_pb2):
    """As `solution_base` observes: with timestamp bounds, an empty packet where there is no result."""
    out = []
    graph = mp.CalculatorGraph(graph_config=TWO_INPUTS)
    graph.observe_output_stream("out", lambda name, packet: out.append((name, packet)), True)
    graph.start_run()
    for time in (33333, 66666):
        packet = mp.packet_creator.create_bool(True).at(time)
        graph.add_packet_to_input_stream("other", packet)
        if time == 33333:
            graph.add_packet_to_input_stream("in", packet)
        else:
            graph.add_packet_to_input_stream("in", mp.Packet().at(time))
        graph.wait_until_idle()
    seen = [(name, packet.is_empty(), packet.timestamp.value) for name, packet in out]
    graph.close()
    return seen


def a_solution(mp, calculator_pb2):
    """What `solution_base` does with a graph: look at its interface, then start it, close it, start it."""
    validated = mp.ValidatedGraphConfig()
    validated.initialize(graph_config=PASS_THROUGH)
    config = calculator_pb2.CalculatorGraphConfig()
    config.ParseFromString(validated.binary_config)
    graph = mp.CalculatorGraph(graph_config=config)
    outputs = {}
    for name in config.output_stream:
        graph.observe_output_stream(name, lambda name, packet: outputs.update({name: packet}), True)
    seen = [
        list(config.input_stream),
        [node.calculator for node in config.node],
        refused(lambda: validated.registered_stream_type_name("nothing")),
        refused(lambda: validated.registered_stream_type_name("in")),
        refused(lambda: validated.initialize(graph_config=PASS_THROUGH)),
    ]
    for run in range(2):
        graph.start_run({})
        packet = mp.packet_creator.create_float(0.5).at(33333 + run)
        graph.add_packet_to_input_stream(stream="in", packet=packet)
        graph.wait_until_idle()
        seen.append([outputs["out"].timestamp.value, mp.packet_getter.get_float(outputs["out"])])
        graph.close()
    return seen


def packets(mp, calculator_pb2):
    """Every kind of packet, made and read; at the limits and beyond them."""
    make, get = mp.packet_creator, mp.packet_getter
    made = [
        get.get_str(make.create_string("abc")),
        get.get_str(make.create_string(b"abc")),
        get.get_bytes(make.create_string(b"\xd0\xba\xd0")).hex(),
        get.get_bool(make.create_bool(True)),
        get.get_float(make.create_float(0.5)),
        get.get_float(make.create_double(0.25)),
        get.get_float(make.create_float(1)),
        get.get_int_list(make.create_int_vector([1, 2, 3])),
        get.get_bool_list(make.create_bool_vector([True, False])),
        get.get_float_list(make.create_float_vector([0.5, 1.0])),
        get.get_str_list(make.create_string_vector(["a", "b"])),
        [
            get.get_int(p)
            for p in get.get_packet_list(make.create_packet_vector([make.create_int(4)]))
        ],
        get.get_int(
            get.get_str_to_packet_dict(make.create_string_to_packet_map({"x": make.create_int(5)}))[
                "x"
            ]
        ),
    ]
    for bits in (8, 16, 32, 64):
        signed, unsigned = getattr(make, f"create_int{bits}"), getattr(make, f"create_uint{bits}")
        made += [get.get_int(signed(n)) for n in (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)]
        made += [get.get_uint(unsigned(2**bits - 1))]
    wrong = [
        refused(lambda: make.create_int(2**31), "execeeds the maximum value"),
        refused(lambda: make.create_int8(-129), "goes below the minimum value"),
        refused(lambda: make.create_uint8(-1), "goes below the minimum value"),
        refused(lambda: make.create_int("x")),
        refused(lambda: make.create_int(1.5)),
        refused(lambda: make.create_bool(1)),
        refused(lambda: make.create_string(1)),
        refused(lambda: make.create_float("x")),
        refused(lambda: make.create_int_vector([1, "x"])),
        refused(lambda: make.create_bool_vector([1])),
        refused(lambda: make.create_packet_vector([1])),
        refused(
            lambda: get.get_str(make.create_int(1)),
            'The Packet stores "int", but "string" was requested.',
        ),
        refused(
            lambda: get.get_bool(make.create_string("x")),
            'The Packet stores "string", but "bool" was requested.',
        ),
        refused(
            lambda: get.get_int(make.create_float(1.5)),
            "Packet doesn't contain int, int8, int16, int32, or int64 data.",
        ),
        refused(
            lambda: get.get_int(make.create_bool(True)),
            "Packet doesn't contain int, int8, int16, int32, or int64 data.",
        ),
        refused(
            lambda: get.get_uint(make.create_float(1.5)),
            "Packet doesn't contain uint8, uint16, uint32, or uint64 data.",
        ),
        refused(
            lambda: get.get_float(make.create_int(1)),
            "Packet doesn't contain float or double data.",
        ),
        refused(
            lambda: get.get_int_list(make.create_string("x")),
            "Packet doesn't contain int, int8, int16, int32, or int64 containers.",
        ),
        refused(
            lambda: get.get_float_list(make.create_int_vector([1])),
            "Packet doesn't contain std::vector<float> or std::array<float, 4 / 16> containers.",
        ),
        refused(lambda: get.get_str_list(make.create_string("x"))),
        refused(lambda: get.get_bool_list(make.create_int_vector([1]))),
        refused(lambda: get.get_packet_list(make.create_int(1))),
        refused(lambda: get.get_str_to_packet_dict(make.create_int(1))),
        refused(lambda: get.get_str(mp.Packet()), "but received an empty Packet."),
        refused(lambda: get.get_int(mp.Packet())),
    ]
    return [made, wrong]


def times(mp, calculator_pb2):
    special = ("UNSET", "UNSTARTED", "PRESTREAM", "MIN", "MAX", "POSTSTREAM", "DONE")
    kinds = [
        [name, t.value, t.is_special_value(), t.is_range_value(), t.is_allowed_in_stream()]
        for name in special
        for t in [getattr(mp.Timestamp, name)]
    ]
    t = mp.Timestamp(1500000)
    packet = mp.packet_creator.create_string("abc").at(100)
    copy = packet.at(7)
    stamped = [packet.timestamp == 100, mp.Packet().timestamp == mp.Timestamp.UNSET]
    packet.timestamp = 200
    stamped += [packet.timestamp == 200, copy.timestamp == 7, packet.timestamp > copy.timestamp]
    return [
        kinds,
        [t.seconds(), t.microseconds(), mp.Timestamp.from_seconds(2.5).value, mp.Timestamp(t) == t],
        stamped,
    ]


PROGRAMS = [
    every_way_to_give_a_graph,
    graphs_that_cannot_be,
    times_that_do_not_rise,
    a_sequence,
    side_packets,
    calls_at_the_wrong_time,
    waiting_for_output,
    bounds,
    a_solution,
    packets,
    times,
]


def run_all(mp, calculator_pb2):
    return {program.__name__: program(mp, calculator_pb2) for program in PROGRAMS}
