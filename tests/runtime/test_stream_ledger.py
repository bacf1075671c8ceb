"""Which request of a stream a packet answers, and when it has all its answers."""

from calcgraph.runtime.stream_ledger import Asked, StreamLedger


def ledger(*asked, outputs=("a", "b")):
    made = StreamLedger(outputs)
    for time, id, *wants_final in asked:
        made.note(time, id, bool(wants_final))
    return made


def test_a_request_is_found_by_its_time():
    """KServe S3."""
    assert ledger((1, "one"), (2, "")).at(1) == Asked(1, "one", False)
    assert ledger((1, "one"), (2, "")).at(2) is None


def test_of_several_requests_at_one_time_the_last_id_counts():
    """KServe S3, S9."""
    assert ledger((1, "one"), (1, "two"), (1, "", True)).at(1) == Asked(1, "two", True)


def test_at_rest_all_requests_have_their_answers():
    """KServe S12."""
    made = ledger((2, "two"), (1, "one"))
    assert [asked.id for asked in made.answered(at_rest=True)] == ["one", "two"]
    assert len(made) == 0


def test_a_request_is_over_once_every_output_has_come_beyond_a_later_one():
    """KServe S12."""
    made = ledger((1, "one"), (2, "two"), (3, "three"))
    made.settle("a", 3)
    assert made.answered(at_rest=False) == []
    made.settle("b", 2)
    assert [asked.id for asked in made.answered(at_rest=False)] == ["one"]
    made.settle("b", 1)  # an older packet changes nothing
    assert made.at(2) is not None


def test_what_never_settles_is_forgotten_from_the_oldest_on():
    """KServe X4."""
    made = ledger(*((time, "x") for time in range(5000)))
    assert len(made) == 1024
    assert made.at(0) is None
    assert made.at(4999) is not None
    long = ledger(*((time, "x" * (1 << 19)) for time in range(9)))
    assert len(long) == 2
