"""Runs cdk-nag and checkov in an environment of their own, which is made once and kept in .venv."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.compliance.support.findings import Scan, read
from tests.packaging.support.environments import install, run, virtual_environment

REPOSITORY = Path(__file__).resolve().parents[3]
_REQUIREMENTS = REPOSITORY / "requirements-scan.txt"


def scan(folder: Path) -> tuple[Scan, Path]:
    """Scan the app and the examples with the preset of production, and stores with a safe default off.

    Args:
        folder: An empty folder.

    Returns:
        What was found, and the folder with the templates and reports of each app.
    """
    python, out = _python(), folder / "out"
    run(python, Path(__file__).with_name("scan.py"), out, cwd=folder, CDK_VALIDATION="true")
    command = ["-d", out, "--framework", "cloudformation", "-o", "json", "--compact", "--skip-download"]
    checkov = subprocess.run(
        [python.with_name("checkov"), *map(str, command)],
        env={**os.environ, "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checkov.returncode in (0, 1), checkov.stderr
    return read(out, json.loads(checkov.stdout)), out


def _python() -> Path:
    """The Python of the scanners; changed requirements get a new environment."""
    pins = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:8]
    folder = REPOSITORY / ".venv" / f".scan-{pins}"
    python = folder / "venv" / "bin" / "python"
    if not (folder / ".made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        virtual_environment(folder)
        install(python, "--require-hashes", "-r", _REQUIREMENTS)
        (folder / ".made").touch()
    return python
