"""calcgraph calculators."""

from calcgraph.runtime.registry import GROUP, REGISTRY
from calcgraph.servers.__main__ import main


def test_the_list_names_every_calculator_with_its_distribution(capsys):
    assert main(["calculators"]) == 0
    (line,) = [
        each for each in capsys.readouterr().out.splitlines() if each.startswith("HttpInput ")
    ]
    assert "calcgraph " in line
    assert "OpenAI" in line


def test_a_name_is_answered_with_its_contract_and_options(capsys):
    assert main(["calculators", "Pooling", "HttpInput"]) == 0
    out = capsys.readouterr().out
    assert (
        "  options: [type.googleapis.com/calcgraph.PoolingOptions]\n    pooling: CLS | LAST | MEAN"
        in out
    )
    assert "REQUEST: HttpRequest | InferRequest" in out


def test_an_unknown_name_is_answered_with_the_nearest(capsys):
    assert main(["calculators", "Poolin"]) == 1
    assert (
        "Unable to find Calculator \"Poolin\"; did you mean 'Pooling'?" in capsys.readouterr().err
    )


def test_a_plugin_that_cannot_be_imported_hides_nobody_else(capsys, tmp_path, monkeypatch):
    folder = tmp_path / "broken-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(f"[{GROUP}]\nBrokenPlugin = no_such_module_at_all:X\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    monkeypatch.setattr(REGISTRY, "_scanned", None)
    assert main(["calculators"]) == 0
    out = capsys.readouterr().out
    assert "BrokenPlugin" in out
    assert "CANNOT BE LOADED: calculator 'BrokenPlugin' (broken 1.0)" in out
    assert "HttpInput" in out
    assert main(["calculators", "BrokenPlugin"]) == 1
