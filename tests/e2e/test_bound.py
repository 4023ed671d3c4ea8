"""A function bound to two stores, a Fargate service and a reader of a record, in other stacks than the stores."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support.deploys import Deploys

PROGRAM = Path(__file__).parent / "support" / "programs" / "bound"
STACKS = ("BoundData", "BoundWeb", "BoundOther")


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_bound_programs_of_other_stacks_reach_their_stores(deploys: Deploys, engine: str, tmp_path: Path) -> None:
    flags = {"@aws-cdk/core:defaultCrossStackReferences": "strong"}
    assembly = deploys.synthesize("bound", tmp_path / "out", engine=engine, program=str(PROGRAM), **flags)
    for stack in STACKS[1:]:
        template = (assembly / f"{stack}.template.json").read_text()
        assert "Fn::ImportValue" not in template
    assert '"Export"' not in (assembly / "BoundData.template.json").read_text()
    # The stores' stack first: the record must exist before another app reads it.
    made = {stack: deploys.deploy(assembly, stack) for stack in STACKS}

    both = {"": "cached", "ledger": "booked"}
    assert _invoke(deploys, made["BoundWeb"]["FunctionName"], both) == both
    assert _invoke(deploys, made["BoundOther"]["FunctionName"], {"books": "shared"}) == {"books": "shared"}
    assert _run_as_task(deploys, "bound", "served") == "served"
    assert _typed(deploys, "--record", "/bound/ledger", "--", "SET", "app:typed", "by hand") == "OK"
    assert _typed(deploys, "--stack", "BoundData", "--", "GET", "app:typed") == "by hand"

    deploys.run("destroy", "--app", str(assembly), "--force", *STACKS)


def _invoke(deploys: Deploys, function: str, event: dict[str, str]) -> Any:
    answer = deploys.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    payload = answer["Payload"].read().decode()
    assert "FunctionError" not in answer, payload
    return json.loads(payload)


def _typed(deploys: Deploys, *arguments: str) -> str:
    """Run `cdk-redis connect` as on a workstation that reaches the store."""
    command = [sys.executable, "-m", "cdk_redis_runtime", "connect", *arguments]
    done = subprocess.run(command, env=deploys.cloud.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _run_as_task(deploys: Deploys, family: str, value: str) -> str:
    """Run the program as a process with the environment that the deployed task definition declares."""
    task = deploys.client("ecs").describe_task_definition(taskDefinition=family)["taskDefinition"]
    (container,) = task["containerDefinitions"]
    declared = {one["name"]: one["value"] for one in container["environment"]}
    command = [sys.executable, str(PROGRAM / "program.py"), value]
    environment = {**deploys.cloud.environment, **declared}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
