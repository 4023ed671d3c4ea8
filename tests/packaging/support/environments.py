"""Separate virtual environments, and the pins of the requirement files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib  # Python 3.10 has no tomllib; pip contains the same reader

UV = Path(sys.executable).with_name("uv")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command without the variables of this environment; return its output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    # As pip does: only the system's certificates include those of a company's proxy.
    kept["UV_SYSTEM_CERTS"] = "true"
    # Resolving for another Python needs no interpreter of it, and uv would try to download one.
    kept["UV_PYTHON_DOWNLOADS"] = "never"
    finished = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=kept | environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def virtual_environment(folder: Path) -> Path:
    """Create an empty environment of the Python that runs the tests; return its Python."""
    run(UV, "venv", "--quiet", "--python", sys.executable, folder / "venv", cwd=folder)
    return folder / "venv" / "bin" / "python"


def install(python: Path, *arguments: str | Path) -> None:
    """Install with uv, from the registry or from uv's cache."""
    run(UV, "pip", "install", "--quiet", "--python", python, *arguments, cwd=python.parent)


def build(project: Path, folder: Path) -> tuple[Path, Path]:
    """Build a project with the hatchling of this environment: no network, no isolated build.

    Returns:
        The wheel and the source distribution.
    """
    run(sys.executable, "-m", "hatchling", "build", "--directory", folder, cwd=project)
    (wheel,) = folder.glob("*.whl")
    (source,) = folder.glob("*.tar.gz")
    return wheel, source


def metadata_of(wheel: Path) -> str:
    """The METADATA file of a wheel."""
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    return archive.read(name).decode()


@dataclass(frozen=True)
class Pin:
    """One line of a requirement file: the pinned package, and the hashes of its files."""

    requirement: Requirement
    hashes: frozenset[str]


def pins_of(file: Path) -> list[Pin]:
    """Read a requirement file, which contains only pins and comments."""
    lines = re.sub(r"\\\n", " ", file.read_text()).splitlines()
    pins: list[Pin] = []
    for line in lines:
        if line and not line.startswith("#"):
            requirement, *hashes = line.split(" --hash=")
            pins.append(Pin(Requirement(requirement.strip()), frozenset(part.strip() for part in hashes)))
    return pins


def project(folder: Path) -> dict[str, Any]:
    """Read pyproject.toml."""
    return tomllib.loads((folder / "pyproject.toml").read_text())


def requirements(repository: Path) -> list[str]:
    """What the two distributions require of others."""
    hook = project(repository)["tool"]["hatch"]["metadata"]["hooks"]["custom"]
    return [*hook["dependencies"], *project(repository / "constructs")["project"]["dependencies"]]
