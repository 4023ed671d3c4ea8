"""A store without cluster mode and with a password: deployed and updated in place."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cdk_redis_local import LocalCloud
from cdk_redis_local._cloud import find_cdk
from cdk_redis_local._demo import read_reports


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_the_smoke_test_passes_and_runs_again_after_an_update(
    repository: Path, engine: str, room: Callable[[], list[str]]
) -> None:
    with LocalCloud(node_modules=repository / "node_modules") as cloud:
        cdk = [*find_cdk(repository, cloud.environment), "--output", str(cloud.workspace.path / "cdk.out")]
        app = [
            "--app",
            f"{sys.executable} {Path(__file__).parent / 'support' / 'apps' / 'single.py'}",
            "-c",
            f"engine={engine}",
        ]

        def run(*arguments: str) -> None:
            command = [*cdk, *arguments, *app]
            done = subprocess.run(command, env=cloud.environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr

        run("bootstrap", "aws://000000000000/us-east-1", "-c", "replicas=1")
        seen: list[str] = []
        for replicas in (1, 2):
            run("deploy", "--require-approval", "never", "-c", f"replicas={replicas}")
            (report,) = read_reports(cloud)
            assert report["passed"], report
            assert {check["status"] for check in report["checks"]} == {"passed"}, report
            seen.append(next(str(check) for check in report["checks"] if check["name"] == "topology"))
        assert seen[0] != seen[1]
        assert room() != []
