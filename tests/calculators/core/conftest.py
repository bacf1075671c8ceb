"""Lets the tests of the core calculators import what stands in helpers/."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "helpers"))
