"""Programs for MediaPipe's Python binding see on MediaPipe what is on record, and what they see here."""

import json
from pathlib import Path

import pytest

HELPERS = Path(__file__).parents[1] / "runtime" / "helpers"

pytestmark = pytest.mark.slow


def test_what_is_on_record_is_what_mediapipe_says(mediapipe):
    recorded = json.loads((HELPERS / "mediapipe_programs.json").read_text())
    assert mediapipe("programs", list(recorded)) == list(recorded.values())
