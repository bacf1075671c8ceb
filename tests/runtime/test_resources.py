"""Files that calculators read through the graph, and the state of the run that Close sees."""

import pytest
from trial import Trial, inputs, node
from trial_calculators import AnyToAny, trial

from calcgraph.runtime.errors import Code, StatusError
from calcgraph.runtime.resources import RESOURCES, Resources


@trial("Reads")
class Reads(AnyToAny):
    @classmethod
    def contract(cls, contract):
        super().contract(contract)
        contract.use_service(RESOURCES)

    def process(self, cc):
        cc.outputs[0].add(cc.service(RESOURCES).read(cc.inputs[0].value))


def test_files_come_from_the_service_that_the_application_gives(tmp_path):
    """Rule A17."""
    (tmp_path / "words").write_bytes(b"a b")
    services = {RESOURCES: Resources(tmp_path)}
    run = Trial(inputs("in") + node("Reads", "in", "out"), "out", services=services).start()
    run.add("in", "words", 0)
    run.finish()
    assert run.values("out") == [b"a b"]


def test_by_default_they_come_from_where_the_process_was_started(tmp_path, monkeypatch):
    """Rule A17."""
    monkeypatch.chdir(tmp_path)
    run = Trial(inputs("in") + node("Reads", "in", "out"), "out").start()
    run.add("in", "gone", 0)
    with pytest.raises(StatusError, match="there is no file gone") as raised:
        run.finish()
    assert raised.value.code == Code.NOT_FOUND


@trial("SaysHowItWent")
class SaysHowItWent(AnyToAny):
    seen = []

    def process(self, cc):
        assert cc.graph_status is None
        if cc.inputs[0].value == "bad":
            raise ValueError("no good")

    def close(self, cc):
        self.seen.append(cc.graph_status)


@pytest.mark.parametrize("value", ["good", "bad"])
def test_close_sees_what_went_wrong(value):
    """Rule L13."""
    SaysHowItWent.seen.clear()
    run = Trial(inputs("in") + node("SaysHowItWent", "in", "out"), "out").start()
    run.add("in", value, 0)
    if value == "good":
        run.finish()
        assert SaysHowItWent.seen == [None]
        return
    with pytest.raises(StatusError):
        run.finish()
    [status] = SaysHowItWent.seen
    assert "no good" in str(status)
