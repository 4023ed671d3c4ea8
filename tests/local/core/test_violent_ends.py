"""A cloud that ends violently at a random moment leaves nothing after the next start and stop."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

PROGRAM = Path(__file__).parents[3] / "benchmarks" / "violent_ends.py"


@pytest.mark.timeout(300)
def test_violent_ends_leave_nothing_after_the_next_start_and_stop(tmp_path: Path) -> None:
    # Processes, signals and moments are random; the output of a failure has the seed.
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "--times", "4"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("0 left something"), done.stdout
