"""The line of a value in a JSON file."""

import pytest

from calcgraph.servers.json_lines import line_of

TEXT = """{
  "a": 1, "b": [
    {"c": "}],\\"",
     "d": {}},
    [],
    2
  ]
}"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("a",), 2),
        (("b",), 2),
        (("b", 0), 3),
        (("b", 0, "c"), 3),
        (("b", 0, "d"), 4),
        (("b", 1), 5),
        (("b", 2), 6),
        (("b", 0, "no"), 3),
        (("b", 2, "no"), 6),
        (("no",), 1),
    ],
)
def test_a_path_leads_to_a_line(path: tuple[str | int, ...], line: int) -> None:
    assert line_of(TEXT, path) == line
