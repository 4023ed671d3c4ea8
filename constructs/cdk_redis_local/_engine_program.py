"""Which Redis-compatible engine this machine has."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass

from ._errors import EngineNotFoundError

OLDEST = (7, 0)
_HOW_TO_GET_ONE = "get one with `apt-get install redis-server`"
_VERSION = re.compile(r"(?P<name>Valkey|Redis) server v=(?P<version>\d+\.\d+\.\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class EngineProgram:
    """An engine installed on this machine.

    ``name`` is ``valkey`` or ``redis``, ``version`` the full version (``7.0.15``), ``path`` the program.
    """

    name: str
    version: str
    path: str

    @property
    def major_minor(self) -> str:
        """The version as templates declare it: ``7.0``."""
        return ".".join(self.version.split(".")[:2])

    def __str__(self) -> str:
        """Name and full version, for people."""
        return f"{self.name} {self.version}"


def find_engine() -> EngineProgram:
    """The engine that local stores run on: ``valkey-server`` if it is on PATH, else ``redis-server``.

    Raises:
        EngineNotFoundError: Neither is there, or it is older than 7.0, or was built without TLS.
    """
    path = shutil.which("valkey-server") or shutil.which("redis-server")
    if path is None:
        raise EngineNotFoundError(f"no valkey-server or redis-server on PATH: {_HOW_TO_GET_ONE}")
    text = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    match = _VERSION.search(text)
    if match is None:
        raise EngineNotFoundError(f"{path} does not tell its version ({text.strip()!r}): {_HOW_TO_GET_ONE}")
    program = EngineProgram(match["name"].lower(), match["version"], path)
    if tuple(int(part) for part in program.major_minor.split(".")) < OLDEST:
        raise EngineNotFoundError(f"{path} is {program}, but 7.0 or newer is needed: {_HOW_TO_GET_ONE}")
    if not _has_tls(path):
        raise EngineNotFoundError(f"{path} was built without TLS: {_HOW_TO_GET_ONE}")
    return program


def _has_tls(path: str) -> bool:
    # With no port to listen on, an engine reads its settings, complains, and ends. One built without TLS
    # complains about the setting itself.
    outcome = subprocess.run(
        [path, "-"], input="port 0\ntls-port 0\ntls-protocols TLSv1.3\n", capture_output=True, text=True, check=False
    )
    return "Bad directive" not in outcome.stdout + outcome.stderr
