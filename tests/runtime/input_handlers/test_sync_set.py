"""Groups of inputs that wait for each other."""

import random
from collections import Counter

import pytest
from trial import Trial, inputs, node

from calcgraph.runtime.errors import StatusError
from calcgraph.runtime.timestamp import POST_STREAM, PRE_STREAM

END = "end"
SETS = ["ace", "bd", "f", "g", "h"]
SCRIPTS = [
    [
        *[("a", 0, ""), ("c", 0, ""), ("a", 10, ""), ("e", 0, "0:ace"), ("c", 10, "")],
        *[("e", 10, "10:ace"), ("e", 20, ""), ("a", 20, ""), ("c", 20, "20:ace"), ("c", 30, "")],
        *[("a", 30, ""), ("a", 40, ""), ("a", 50, ""), ("c", 40, ""), ("a", END, "")],
        *[("e", 40, "30:ac 40:ace"), ("c", 50, ""), ("e", 50, "50:ace"), ("c", 60, "")],
        *[("c", 70, ""), ("c", END, ""), ("e", END, "60:c 70:c")],
    ],
    [
        *[("b", -300, ""), ("b", -200, ""), ("b", -100, ""), ("d", -200, "-300:b -200:bd")],
        *[("d", -20, "-100:b"), ("d", -10, ""), ("b", 0, "-20:d -10:d"), ("d", 0, "0:bd")],
        *[("d", 10, ""), ("b", 10, "10:bd"), ("b", 20, ""), ("d", 200, "20:b")],
        *[("b", 100, "100:b"), ("b", 200, "200:bd"), ("b", 250, ""), ("b", 300, "")],
        *[("d", END, "250:b 300:b"), ("b", END, "")],
    ],
    [*(("f", t, f"{t}:f") for t in range(-350, 350, 35)), ("f", END, "")],
    [("g", PRE_STREAM, f"{PRE_STREAM}:g"), ("g", END, "")],
    [("h", POST_STREAM, f"{POST_STREAM}:h"), ("h", END, "")],
]


def handler(sets):
    named = " ".join(
        "sync_set { " + " ".join(f'tag_index: ":{"abcdefgh".index(name)}"' for name in group) + " }"
        for group in sets
    )
    return (
        'input_stream_handler { input_stream_handler: "SyncSetInputStreamHandler" options {'
        f" [mediapipe.SyncSetInputStreamHandlerOptions.ext] {{ {named} }} }} }} "
    )


def graph(sets):
    return inputs(*"abcdefgh") + node(
        "Lambda", " ".join("abcdefgh"), "out", handler(sets) + 'input_side_packet: "PROCESS:p"'
    )


def interleave(chance):
    """One script of all, each in its own order."""
    left = [list(script) for script in SCRIPTS]
    while any(left):
        script = chance.choices(left, weights=[len(each) for each in left])[0]
        yield script.pop(0)


def check(seed):
    chance = random.Random(seed)
    sets = list(SETS)
    spared = chance.randrange(len(sets) + 1)
    if spared < len(sets):
        del sets[spared]  # what no set names forms a set of its own
    chance.shuffle(sets)
    seen = Counter()

    def note(cc):
        present = "".join(n for n, p in zip("abcdefgh", cc.inputs.values(), strict=True) if p)
        time = max(int(p.timestamp) for p in cc.inputs.values() if p)
        seen[f"{time}:{present}"] += 1

    trial = Trial(graph(sets)).start(p=note)
    expected = Counter()
    for stream, time, calls in interleave(chance):
        expected.update(calls.split())
        if time == END:
            trial.graph.close_input_stream(stream)
        else:
            trial.add(stream, 0, time)
        if chance.random() < 0.2:
            trial.idle()
            assert seen == expected
    trial.graph.wait_until_done()
    assert seen == expected


@pytest.mark.parametrize("seed", range(25))
def test_groups_do_not_wait_for_each_other(seed):
    """Case SY1. Rule H4."""
    check(seed)


@pytest.mark.slow
def test_groups_do_not_wait_for_each_other_a_thousand_times():
    """Case SY1."""
    for seed in range(1000):
        check(seed)


@pytest.mark.parametrize(
    ("sets", "message"), [(["az"], "tag_index"), (["ab", "b"], "twice|more than one")]
)
def test_a_group_that_cannot_be_is_refused(sets, message):
    text = graph(["ab"]).replace('":0"', '":9"') if "z" in sets[0] else graph(sets)
    with pytest.raises(StatusError, match=message):
        Trial(text)


def test_a_loop_over_a_back_edge():
    """A request goes round until it is done: what OVMS builds with SyncSet."""
    info = 'input_stream_info { tag_index: "LOOP" back_edge: true } '
    sets = (
        'input_stream_handler { input_stream_handler: "SyncSetInputStreamHandler" options {'
        " [mediapipe.SyncSetInputStreamHandlerOptions.ext] {"
        ' sync_set { tag_index: "IN" } sync_set { tag_index: "LOOP" } } } } '
    )
    trial = Trial(
        inputs("in")
        + node(
            "Lambda",
            "IN:in LOOP:loop",
            "OUT:out LOOP:loop",
            info + sets + 'input_side_packet: "PROCESS:p"',
        ),
        "out",
    )

    def count_down(cc):
        packet = cc.inputs["IN"] if cc.inputs["IN"] else cc.inputs["LOOP"]
        if packet.value:
            cc.outputs["LOOP"].add(packet.value - 1, packet.timestamp + 1)
        else:
            cc.outputs["OUT"].add("done", packet.timestamp)

    trial.start(p=count_down)
    trial.add("in", 3, 0)
    trial.idle()
    assert trial.seen["out"] == [("done", 3)]
    trial.add("in", 1, 10)
    trial.idle()
    assert trial.seen["out"] == [("done", 3), ("done", 11)]
    trial.finish()
