"""The code in README.md works."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"^```python\n(.*?)^```$", (REPOSITORY / "README.md").read_text(), re.MULTILINE | re.DOTALL)


def resource_types(script: Path, outdir: Path) -> set[str]:
    """Run an app in an empty folder, and return the types of resources that it defines."""
    environment = {**os.environ, "CDK_OUTDIR": str(outdir / "cdk.out")}
    run = subprocess.run(
        [sys.executable, str(script)], cwd=outdir, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    templates = [json.loads(path.read_text()) for path in (outdir / "cdk.out").glob("*.template.json")]
    return {resource["Type"] for template in templates for resource in template["Resources"].values()}


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_each_app_in_the_readme_synthesizes(number: int, tmp_path: Path) -> None:
    script = tmp_path / "app.py"
    script.write_text(BLOCKS[number])
    assert resource_types(script, tmp_path) & {"AWS::ElastiCache::ReplicationGroup", "AWS::MemoryDB::Cluster"}


def test_the_readme_shows_an_app() -> None:
    assert BLOCKS
