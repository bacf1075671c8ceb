"""Every line of docs/openai_checklist.md names a test that there is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "openai_checklist.md").read_text()
LINES = [line for line in TEXT.splitlines() if line.startswith("|") and "::" in line]


@pytest.mark.parametrize("line", LINES)
def test_the_test_that_a_line_names_exists(line: str) -> None:
    file, name = re.findall(r"`(tests/\S+\.py)::(test_\w+)`", line)[0]
    assert re.search(rf"def {name}\(", (ROOT / file).read_text())


def test_no_number_is_missing() -> None:
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)]
    assert numbers == list(range(1, 23))
    assert len(LINES) == TEXT.count("::")
