"""From a name to a class (rules R1, R2, R3)."""

import sys
import textwrap

import pytest

from calcgraph.runtime.calculator import Calculator
from calcgraph.runtime.config import read_graph
from calcgraph.runtime.errors import Code, StatusError
from calcgraph.runtime.registry import (
    GROUP,
    REGISTRY,
    InstalledRegistry,
    Registry,
    candidates,
    normalized,
)


class One(Calculator):
    pass


class Two(Calculator):
    pass


def test_r1_a_name_leads_to_its_class_and_says_where_it_comes_from():
    registry = Registry()
    registry.register("One", One)
    entry = registry.find("One")
    assert entry.load() is One
    assert entry.origin == f"registered in {__name__}"


def test_r1_a_name_may_be_registered_only_once():
    registry = Registry()
    registry.register("One", One, "here")
    with pytest.raises(
        StatusError, match="'One' is registered twice: by here and by there"
    ) as caught:
        registry.register("mediapipe::One", Two, "there")
    assert caught.value.code is Code.ALREADY_EXISTS


def test_r1_an_unknown_name_is_answered_with_the_nearest():
    registry = Registry()
    registry.register("PassThroughCalculator", One)
    assert registry.find("PasThroughCalculator") is None
    assert registry.unknown("PasThroughCalculator") == (
        "Unable to find Calculator \"PasThroughCalculator\"; did you mean 'PassThroughCalculator'?"
    )


@pytest.mark.parametrize(
    ("name", "package", "expected"),
    [
        ("N", "", ["N"]),
        ("N", "a.b.c", ["a.b.c.N", "a.b.N", "a.N", "N"]),
        ("x.N", "a.b", ["a.b.x.N", "a.x.N", "x.N"]),
        (".a.N", "a.b", ["a.N"]),
        ("::a::N", "b", ["a.N"]),
        ("a::N", "", ["a.N"]),
        ("N", "a::b", ["a.b.N", "a.N", "N"]),
        ("mediapipe.N", "", ["N"]),
        ("N", "mediapipe", ["N", "N"]),
    ],
)
def test_r2_a_package_is_searched_before_what_encloses_it(name, package, expected):
    assert candidates(name, package) == expected


def test_r2_the_nearest_package_wins():
    registry = Registry()
    registry.register("N", One)
    registry.register("a.N", Two)
    assert registry.find("N", "a.b").load() is Two
    assert registry.find("N", "c").load() is One
    assert registry.find(".N", "a").load() is One


@pytest.mark.parametrize("name", ["mediapipe.One", "mediapipe::One", ".mediapipe.One", "One"])
def test_r2_names_of_the_namespace_mediapipe_need_no_prefix(name):
    assert normalized(name) == "One"


def test_r3_a_local_registry_hides_the_one_behind_it():
    behind = Registry()
    behind.register("N", One)
    behind.register("M", One)
    local = Registry(behind)
    local.register("N", Two)
    assert local.find("N").load() is Two
    assert local.find("M").load() is One
    assert behind.find("N").load() is One
    assert local.names() == ["M", "N"]


def test_a_graph_may_be_registered_like_a_calculator():
    registry = Registry()
    config = read_graph('type: "G"', "g.pbtxt")
    registry.register("G", config)
    assert registry.find("G").load() is config
    assert registry.find("G").origin == "g.pbtxt"


def installed(tmp_path, monkeypatch, *distributions):
    """A registry that sees these distributions, each {name: value} with its own metadata."""
    for number, points in enumerate(distributions):
        folder = tmp_path / f"plugin{number}-1.{number}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: plugin{number}\nVersion: 1.{number}\n"
        )
        lines = "\n".join(f"{name} = {value}" for name, value in points.items())
        (folder / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return InstalledRegistry()


def write_module(tmp_path, name, text):
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))


CLASS = """
    from calcgraph.runtime.calculator import Calculator
    class Plugged(Calculator):
        pass
"""


def test_r1_an_installed_calculator_is_imported_when_it_is_first_named(tmp_path, monkeypatch):
    write_module(tmp_path, "plugged_first", CLASS)
    write_module(tmp_path, "plugged_second", "raise AssertionError('nobody asked for this module')")
    registry = installed(
        tmp_path, monkeypatch, {"Plugged": "plugged_first:Plugged", "Other": "plugged_second:Other"}
    )
    entry = registry.find("Plugged")
    assert "plugged_first" not in sys.modules
    assert entry.load().__name__ == "Plugged"
    assert entry.origin == "plugin0 1.0"
    assert "Other" in registry.names()


def test_r1_a_name_installed_twice_names_both_distributions(tmp_path, monkeypatch):
    points = {"Plugged": "plugged_twice:Plugged"}
    registry = installed(tmp_path, monkeypatch, points, points)
    with pytest.raises(StatusError, match=r"installed by both plugin0 1\.0 and plugin1 1\.1"):
        registry.find("Plugged")


def test_r1_what_is_installed_cannot_be_registered_again_by_something_else(tmp_path, monkeypatch):
    write_module(tmp_path, "plugged_once", CLASS)
    registry = installed(tmp_path, monkeypatch, {"Plugged": "plugged_once:Plugged"})
    with pytest.raises(StatusError, match=r"registered twice: by plugin0 1\.0 and by here"):
        registry.register("Plugged", One, "here")
    plugged = registry.find("Plugged").load()
    registry.register("Plugged", plugged)
    assert registry.find("Plugged").load() is plugged


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import surely_no_such_module", "ModuleNotFoundError"),
        ("raise OSError('disk')", "OSError: disk"),
        ("Plugged = 3", "is 3, expected a subclass of Calculator"),
        ("", "AttributeError"),
    ],
)
def test_r1_a_calculator_that_cannot_be_loaded_says_which_distribution_to_mend(
    tmp_path, monkeypatch, text, expected
):
    write_module(tmp_path, "plugged_broken", text)
    monkeypatch.delitem(sys.modules, "plugged_broken", raising=False)
    registry = installed(tmp_path, monkeypatch, {"Plugged": "plugged_broken:Plugged"})
    with pytest.raises(StatusError) as caught:
        registry.find("Plugged").load()
    assert "calculator 'Plugged' (plugin0 1.0)" in caught.value.message
    assert expected in caught.value.message
    sys.modules.pop("plugged_broken", None)


def test_a_file_of_calculators_is_loaded_by_class_name(tmp_path):
    path = tmp_path / "my_nodes.py"
    path.write_text(textwrap.dedent(CLASS) + "class _Hidden(Calculator): pass\n")
    registry = Registry()
    assert registry.load_file(path) == ["Plugged"]
    assert registry.find("Plugged").origin == str(path)
    assert registry.find("Calculator") is None


def test_a_file_may_also_register_its_calculators_itself(tmp_path):
    path = tmp_path / "registering.py"
    path.write_text(
        "from calcgraph.runtime.calculator import Calculator\n"
        "from calcgraph.runtime.registry import register\n"
        "@register('test_registry.Own')\nclass Own(Calculator): pass\n"
    )
    assert Registry().load_file(path) == ["test_registry.Own"]
    assert REGISTRY.find("test_registry.Own").load().__name__ == "Own"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "there is no file of calculators"),
        ("x = 1", "holds no subclass of Calculator"),
        ("1/0", "cannot be loaded: ZeroDivisionError"),
        ("def", "cannot be loaded: SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, text, expected):
    path = tmp_path / "bad_nodes.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(StatusError, match=expected):
        Registry().load_file(path)


def test_two_files_of_one_name_do_not_disturb_each_other(tmp_path):
    registry = Registry()
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "nodes.py").write_text(
            textwrap.dedent(CLASS).replace("Plugged", f"Plugged{number}")
        )
        registry.load_file(folder / "nodes.py")
    assert registry.names() == ["Plugged1", "Plugged2"]
