"""Rotates passwords of a deployed stack while clients of ``connect()`` read and write."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.e2e.support.deploys import Deploys
from tests.support.concurrency import wait_until

_PROGRAM = Path(__file__).parent / "programs" / "load" / "program.py"
# Commands a second of each load. Without the variable, the machine may be too busy for it: then it is no minimum.
RATE = float(os.environ.get("CDK_REDIS_ROTATION_RATE", "500"))
_LEAST_RATE = RATE * 0.95 if "CDK_REDIS_ROTATION_RATE" in os.environ else 20
# connect() reads a secret at most once in 5 seconds; the shortest time between two rotations on AWS is 4 hours.
_SECONDS_BETWEEN = 6.0


class Load:
    """A process that reads and writes as a user, see `programs/load/program.py`."""

    def __init__(self, deploys: Deploys, parameter: str, prefix: str) -> None:
        record = deploys.parameter(parameter)
        self._process = subprocess.Popen(
            [sys.executable, str(_PROGRAM), record, prefix, str(RATE)],
            env={**deploys.cloud.environment, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.report: dict[str, Any] = {}

    def __enter__(self) -> Load:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            output, _ = self._process.communicate("", timeout=60)
            self.report = json.loads(output)
        finally:
            self._process.kill()

    def check(self) -> None:
        """Check that no command failed, and print the rate."""
        commands, seconds = self.report["commands"], self.report["seconds"]
        print(f"{commands} commands in {seconds:.1f} s ({commands / seconds:.0f} a second): {self.report}")
        assert not self.report["failures"], self.report["failures"][:5]
        assert commands / seconds >= _LEAST_RATE
        assert self.report["sign_ins"] > seconds


def rotate(deploys: Deploys, *secrets: str) -> list[str]:
    """Rotate some secrets at the same time; returns their new passwords when these are the current ones."""
    manager = deploys.client("secretsmanager")
    started = {secret: manager.rotate_secret(SecretId=secret)["VersionId"] for secret in secrets}

    def is_over(secret: str, version: str) -> bool:
        found = manager.describe_secret(SecretId=secret)["VersionIdsToStages"].get(version, [])
        assert not any("the rotation of" in said for said in deploys.cloud.said), deploys.cloud.said
        return "AWSCURRENT" in found

    for secret, version in started.items():
        wait_until(lambda secret=secret, version=version: is_over(secret, version), 90)
    return [deploys.password(secret) for secret in secrets]


def rotate_in_a_row(deploys: Deploys, times: int, *secrets: str) -> list[list[str]]:
    """Rotate secrets several times; returns the passwords of each, the first ones included."""
    passwords = [[deploys.password(secret) for secret in secrets]]
    for _ in range(times):
        time.sleep(_SECONDS_BETWEEN)
        passwords.append(rotate(deploys, *secrets))
    time.sleep(_SECONDS_BETWEEN)
    return [list(one) for one in zip(*passwords, strict=True)]
