"""Queues and bounds, on both sides of a stream."""

import pytest

from calcgraph.runtime.packet import Packet
from calcgraph.runtime.streams import InputQueue, OutputStream
from calcgraph.runtime.timestamp import (
    DONE,
    MAX,
    MIN,
    ONE_OVER_POST_STREAM,
    POST_STREAM,
    PRE_STREAM,
    UNSET,
    UNSTARTED,
)


class Reader:
    """Notes what a queue tells its node."""

    name = "reader"

    def __init__(self, limit=2**62):
        self.calls = []
        self.errors = []
        self.queue = InputQueue("in", self, lambda: self.calls.append("packet"), limit)

    def on_bound(self):
        self.calls.append("bound")

    def on_full(self, queue):
        self.calls.append("full")

    def on_room(self, queue):
        self.calls.append("room")

    def on_stream_error(self, error):
        self.errors.append(error.message)

    def add(self, *times):
        for time in times:
            self.queue.add(Packet(f"value {time}", time))

    def heard(self):
        calls, self.calls = self.calls, []
        return calls


class TestReading:
    @pytest.mark.parametrize(
        ("time", "name"),
        [
            (UNSET, "Unset"),
            (UNSTARTED, "Unstarted"),
            (ONE_OVER_POST_STREAM, "OneOverPostStream"),
            (DONE, "Done"),
        ],
    )
    def test_times_that_no_stream_can_have(self, time, name):
        """Case IS1. Rule S12."""
        reader = Reader()
        reader.add(time)
        assert f"Timestamp::{name}()" in reader.errors[0]
        assert not reader.heard()

    def test_a_prestream_packet_is_the_only_one(self):
        """Case IS2. Rule S12."""
        reader = Reader()
        reader.add(PRE_STREAM)
        assert not reader.errors
        reader.add(10)
        assert "OneOverPostStream" in reader.errors[0]

    def test_a_poststream_packet_is_the_only_one(self):
        """Case IS3. Rule S12."""
        alone, late = Reader(), Reader()
        alone.add(POST_STREAM)
        assert not alone.errors
        late.add(10, POST_STREAM)
        assert "PostStream" in late.errors[0]

    def test_time_may_not_go_back(self):
        """Case IS4. Rule S12."""
        reader = Reader()
        reader.add(20, 10, 30)
        assert len(reader.errors) == 1
        assert "Current minimum expected timestamp is 21 but received 10" in reader.errors[0]
        assert [packet.timestamp for packet in reader.queue.packets] == [20, 30]

    def test_taking_at_a_time(self):
        """Case IS5. Rule S15."""
        reader = Reader()
        queue = reader.queue
        reader.add(10, 20, 30)
        assert queue.take(5).is_empty()
        assert len(queue.packets) == 3
        assert queue.take(10).value == "value 10"
        missing = queue.take(15)
        assert missing.is_empty()
        assert missing.timestamp == 19
        assert queue.take(30).value == "value 30"
        assert not queue.packets
        reader.heard()
        queue.set_bound(DONE)
        assert reader.heard() == ["bound"]
        assert queue.take(40).is_empty()
        assert queue.is_done

    def test_only_the_first_packet_wakes_the_reader(self):
        """Case IS6. Rule S14."""
        reader = Reader()
        reader.add(10, 20)
        assert reader.heard() == ["packet"]
        reader.add(30)
        assert not reader.heard()
        for time in (10, 20, 30):
            reader.queue.take(time)
        reader.add(60, 70)
        assert reader.heard() == ["packet"]

    def test_a_bound_wakes_the_reader_of_an_empty_queue(self):
        """Case IS7. Rule S14."""
        reader = Reader()
        queue = reader.queue
        reader.add(10, 20)
        reader.heard()
        for bound in (30, 40, 50):
            queue.set_bound(bound)
        assert not reader.heard()
        assert queue.min_time_or_bound == 10
        queue.take(10)
        queue.take(20)
        assert queue.min_time_or_bound == 50
        for bound in (60, 70, 80):
            queue.set_bound(bound)
            assert reader.heard() == ["bound"]
        reader.add(90)
        assert reader.heard() == ["packet"]
        queue.take(90)
        assert queue.min_time_or_bound == 91
        queue.close()
        assert queue.min_time_or_bound == DONE

    def test_a_bound_may_not_fall(self):
        """Rule S4."""
        reader = Reader()
        reader.queue.set_bound(50)
        reader.queue.set_bound(40)
        assert "50 but received 40" in reader.errors[0]

    def test_a_closed_reader_drops_what_comes(self):
        """Rule S13."""
        reader = Reader()
        reader.queue.close()
        reader.heard()
        reader.add(1, 2)
        reader.queue.set_bound(7)
        assert not reader.queue.packets
        assert not reader.errors
        assert not reader.heard()

    def test_a_full_queue_says_so_and_says_when_there_is_room(self):
        """Rule S16."""
        reader = Reader(limit=2)
        reader.add(1, 2, 3)
        assert reader.heard() == ["packet", "full"]
        reader.queue.take(1)
        assert not reader.heard()
        reader.queue.take(2)
        assert reader.heard() == ["room"]


class TestWriting:
    def bound_after(self, offset, input_time, packets=(), explicit=UNSET):
        reader = Reader()
        stream = OutputStream("out", offset=offset)
        stream.readers.append(reader.queue)
        stream.deliver([Packet(0, time) for time in packets], explicit, input_time)
        assert stream.bound == reader.queue.bound
        return stream.bound

    @pytest.mark.parametrize(
        ("packets", "explicit", "bound"),
        [((), UNSET, PRE_STREAM), ((10,), UNSET, 11), ((20,), UNSET, 21), ((), 100, 100)],
    )
    @pytest.mark.parametrize("input_time", [0, MAX])
    def test_bounds_without_an_offset(self, packets, explicit, bound, input_time):
        """Case OS1. Rules S6, S10."""
        assert self.bound_after(None, input_time, packets, explicit) == bound

    @pytest.mark.parametrize(
        ("input_time", "packets", "explicit", "bound"),
        [
            (0, (), UNSET, 1),
            (0, (10,), UNSET, 11),
            (0, (20,), UNSET, 21),
            (0, (), 100, 100),
            (MAX, (), UNSET, POST_STREAM),
            (POST_STREAM, (), UNSET, ONE_OVER_POST_STREAM),
            (PRE_STREAM, (), UNSET, MIN),
            (UNSTARTED, (), UNSET, PRE_STREAM),
        ],
    )
    def test_bounds_with_offset_0(self, input_time, packets, explicit, bound):
        """Case OS2. Rule S6."""
        assert self.bound_after(0, input_time, packets, explicit) == bound

    def test_a_stream_that_goes_back_is_an_error_of_its_reader(self):
        """Case OS5. Rule S3."""
        reader = Reader()
        stream = OutputStream("out")
        stream.deliver([Packet(0, 20)], UNSET, 0)
        stream.deliver([Packet(0, 10)], UNSET, 1)  # nobody reads, nobody minds
        stream.readers.append(reader.queue)
        stream.deliver([Packet(0, 20)], UNSET, 0)
        stream.deliver([Packet(0, 10)], UNSET, 1)
        assert len(reader.errors) == 1

    def test_a_bound_that_goes_back_is_an_error_of_its_reader(self):
        """Case OS5. Rule S4."""
        reader = Reader()
        stream = OutputStream("out")
        stream.readers.append(reader.queue)
        stream.deliver([], 50, 0)
        stream.deliver([], 40, 1)
        assert len(reader.errors) == 1

    def test_offsets_pass_bounds_on_within_the_range_of_times(self):
        """Rule T5."""
        for offset, bound, promised in ((0, 5, 5), (3, 5, 8), (-3, 5, 2), (9, MAX, MAX)):
            stream = OutputStream("out", offset=offset)
            stream.settle(bound)
            assert stream.bound == promised

    def test_the_end_comes_once(self):
        """Rule S5."""
        reader = Reader()
        stream = OutputStream("out")
        stream.readers.append(reader.queue)
        stream.close()
        stream.close()
        assert reader.heard() == ["bound"]
        assert reader.queue.is_done
