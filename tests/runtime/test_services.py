"""Objects that all calculators of a graph share."""

import pytest
from trial import Trial, inputs, node
from trial_calculators import AnyToAny, trial

from calcgraph.runtime.errors import Code, StatusError
from calcgraph.runtime.services import default_service


class Asks(AnyToAny):
    @classmethod
    def contract(cls, contract):
        super().contract(contract)
        contract.use_service("required")
        contract.use_service("wished for").optional()

    def process(self, cc):
        cc.outputs[0].add((cc.service("required"), cc.service("wished for")))


trial("Asks")(Asks)


@trial("AsksForDefault")
class AsksForDefault(AnyToAny):
    @classmethod
    def contract(cls, contract):
        super().contract(contract)
        contract.use_service("with a default").optional()

    def process(self, cc):
        cc.outputs[0].add(cc.service("with a default"))


@trial("AsksInVain")
class AsksInVain(AnyToAny):
    def process(self, cc):
        cc.service("required")


def passed(trial_run):
    trial_run.start()
    trial_run.add("in", 0, 0)
    trial_run.finish()
    return trial_run.values("out")[-1]


def test_what_is_given_is_seen_and_what_is_optional_may_lack():
    """Rules C4, A16."""
    text = inputs("in") + node("Asks", "in", "out")
    assert passed(Trial(text, "out", services={"required": 1})) == (1, None)
    trial_run = Trial(text, "out")
    trial_run.graph.set_service("required", 2)
    trial_run.graph.set_service("wished for", 3)
    assert passed(trial_run) == (2, 3)


def test_what_is_required_names_key_and_node():
    """Rules C4, A16."""
    trial_run = Trial(inputs("in") + node("Asks", "in", "out", 'name: "asker"'))
    with pytest.raises(StatusError, match='"required", required by node "asker"') as failure:
        trial_run.start()
    assert failure.value.code == Code.INTERNAL


def test_a_default_is_made_for_each_run():
    """Rule A16."""
    default_service("with a default", list)
    trial_run = Trial(inputs("in") + node("AsksForDefault", "in", "out"), "out")
    first = passed(trial_run)
    assert first == []
    assert passed(trial_run) is not first


def test_a_default_that_cannot_be_made():
    default_service("with a default", lambda: 1 / 0)
    trial_run = Trial(inputs("in") + node("AsksForDefault", "in", "out"))
    with pytest.raises(StatusError, match="ZeroDivisionError"):
        trial_run.start()


def test_a_calculator_has_to_ask_in_its_contract():
    """Rule C4."""
    trial_run = Trial(inputs("in") + node("AsksInVain", "in", "out"), services={"required": 1})
    with pytest.raises(StatusError, match="which its contract does not name"):
        passed(trial_run)
    trial_run.graph.cancel()
