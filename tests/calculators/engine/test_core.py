"""How weights are read: another process may do with the file what it likes."""

from pathlib import Path

from calcgraph.calculators.engine import Engine


def test_the_weights_of_an_open_model_are_not_mapped(minilm: Path) -> None:
    with Engine.open(minilm, pooling="MEAN"):
        mapped = Path("/proc/self/maps").read_text()
    assert "openvino_model.bin" not in mapped
