"""A healthy store under load always passes; `benchmarks/no_false_alarm.py` tries it a thousand times."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(120)
def test_healthy_cluster_under_load_never_fails(repository: Path) -> None:
    program = repository / "benchmarks" / "no_false_alarm.py"
    done = subprocess.run(
        [sys.executable, str(program), "--runs", "20"], capture_output=True, text=True, check=False, timeout=110
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("20 runs, 0 failed checks")
