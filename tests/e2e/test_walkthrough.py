"""Every command of OVMS's demo pages, with ours in the place of theirs."""

import subprocess
import sys

import pytest

from .conftest import ROOT

PAGES = sorted((ROOT.parent / "shared" / "seeds").glob("ovms_embeddings_demo_*.md"))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_every_command_of_a_page_works(page) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "walkthrough.py", page],
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 failed" in done.stdout
