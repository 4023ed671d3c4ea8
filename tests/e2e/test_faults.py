"""A deploy of a faulty store fails, and the CDK CLI shows the failed check."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cdk_redis_local import FAULTS, LocalCloud
from cdk_redis_local._cloud import find_cdk
from cdk_redis_runtime._smoke_test.battery import checks_of

pytestmark = pytest.mark.long

FAILED_CHECKS = {
    "engine-stopped": "[tls]",
    "wrong-ca": "[tls]",
    "acl-without-prefix": "[acl-enforced]",
    "managed-commands-allowed": "[managed-commands-refused]",
    "slots-missing": "[topology]",
}


def test_every_fault_has_an_expected_check() -> None:
    assert FAILED_CHECKS.keys() == FAULTS.keys()


@pytest.mark.e2e
@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", FAILED_CHECKS)
def test_the_cli_shows_the_failed_check(
    fault: str, assembly: Path, repository: Path, room: Callable[[], list[str]]
) -> None:
    with LocalCloud(faults=[fault], node_modules=repository / "node_modules") as cloud:
        cdk = find_cdk(repository, cloud.environment)

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            command = [*cdk, *arguments, "--app", str(assembly)]
            return subprocess.run(command, env=cloud.environment, capture_output=True, text=True, check=False)

        assert run("bootstrap").returncode == 0
        deploy = run("deploy", "--all", "--require-approval", "never", "--concurrency", "2")
        assert room() != []
    output = deploy.stdout + deploy.stderr
    assert deploy.returncode != 0, output
    _, _, failure = output.partition("failed to deploy")
    counted = re.search(r"Smoke test of (elasticache|memorydb) \S+: 1 of (\d+) checks failed", failure)
    assert counted, output
    assert int(counted[2]) == len(checks_of(counted[1]))
    assert FAILED_CHECKS[fault] in failure, output
