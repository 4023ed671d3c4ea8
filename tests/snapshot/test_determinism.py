"""The same input gives the same templates and assets in another process and another folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

SOURCES = ("app.py", "cdk.json", "stacks", "constructs", "examples")


def synthesize(
    sources: Path, scratch: Path, *, hash_seed: str, app: str = "app.py", umask: int = 0o022
) -> subprocess.Popen[bytes]:
    """Start a synth in a separate process, which shares only the text of the sources with others."""
    (scratch / "tmp").mkdir(parents=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(scratch),
        "TMPDIR": str(scratch / "tmp"),
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": str(sources / "constructs"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "CDK_OUTDIR": str(scratch / "cdk.out"),
        "CDK_VALIDATION": "false",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "true",
    }
    return subprocess.Popen([sys.executable, app], cwd=sources, env=environment, umask=umask)


def contents(assembly: Path) -> dict[str, str]:
    """Hash of each file of a cloud assembly that is deployed: templates, asset manifests and assets."""
    # Only the CDK CLI reads the other files of the top folder (manifest.json, tree.json).
    return {
        str(path.relative_to(assembly)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in assembly.rglob("*")
        if path.is_file() and (path.parent != assembly or path.name.endswith((".template.json", ".assets.json")))
    }


def file_modes(assembly: Path) -> dict[str, str]:
    """Mode of each file of the assets, which the CDK CLI keeps in the zip that Lambda unpacks."""
    return {
        str(path.relative_to(assembly)): f"{stat.S_IMODE(path.stat().st_mode):o}"
        for asset in assembly.glob("asset.*")
        for path in asset.rglob("*")
        if path.is_file()
    }


def copy_for_the_owner_alone(repository: Path, elsewhere: Path) -> Path:
    """The sources with the modes that a clone has under ``umask 077``."""
    elsewhere.mkdir()
    for name in SOURCES:
        source = repository / name
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, elsewhere / name, ignore=ignore) if source.is_dir() else shutil.copy2(source, elsewhere)
    for path in elsewhere.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return elsewhere


@pytest.mark.timeout(300)
def test_two_synths_give_identical_files(repository: Path, tmp_path: Path) -> None:
    elsewhere = copy_for_the_owner_alone(repository, tmp_path / "a folder with another name")

    first = synthesize(repository, tmp_path / "first", hash_seed="1")
    second = synthesize(elsewhere, tmp_path / "second", hash_seed="2", umask=0o077)
    example = synthesize(
        elsewhere, tmp_path / "example", hash_seed="1", umask=0o077, app="examples/lambda_function/app.py"
    )
    assert (first.wait(), second.wait(), example.wait()) == (0, 0, 0)

    # A synth must not leave temporary files, because apps are synthesized often.
    assert [*tmp_path.glob("*/tmp/*")] == []
    here, there = contents(tmp_path / "first" / "cdk.out"), contents(tmp_path / "second" / "cdk.out")
    assert sum(name.endswith(".template.json") for name in here) == 4
    assert any(name.startswith("asset.") for name in here)
    assert here == there
    # Lambda runs a function as a user who does not own its files: all users must be able to read them.
    for app in ("first", "second", "example"):
        modes = file_modes(tmp_path / app / "cdk.out")
        assert set(modes.values()) == {"644"}, {name: mode for name, mode in modes.items() if mode != "644"}
