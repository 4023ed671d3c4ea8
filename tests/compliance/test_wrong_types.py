"""Random calls of the stores with one argument of a wrong type: refused in words, or accepted and free of findings.

``CDK_REDIS_RANDOM_CALLS=5000 pytest tests/compliance/test_wrong_types.py`` tries more of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from cfnlint.api import ManualArgs, lint

from tests.compliance.support.random_calls import REGION, new_stack, try_calls

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

CALLS = int(os.environ.get("CDK_REDIS_RANDOM_CALLS", "1000"))
SEED = int(os.environ.get("CDK_REDIS_RANDOM_SEED", "1"))
# Errors of cfn-lint that are wrong, see test_memorydb_combinations.py.
FALSE_POSITIVES = {"DataTiering", "NetworkType", "IpDiscovery"}
# All calls share one template and its parameter, so two stores may have the same token as their name.
SAME_NAME = "E3019"


def test_an_argument_of_any_type_is_refused_in_words_or_accepted() -> None:
    stack = new_stack(cdk.App())

    tries = try_calls(stack, CALLS, SEED)

    assert not tries.leaks, "\n".join([f"seed {SEED}", *tries.leaks])
    assert tries.accepted > CALLS // 50
    matches = lint(
        json.dumps(Template.from_stack(stack).to_json()), config=ManualArgs(regions=[REGION], ignore_checks=[SAME_NAME])
    )
    found = [
        f"{match.rule.id} {match.path}: {match.message}"
        for match in matches
        if match.rule.severity == "error" and not FALSE_POSITIVES & set(map(str, match.path or []))
    ]
    assert found == [], f"seed {SEED}"


def test_what_is_accepted_passes_the_validation_of_aws_cdk_lib(repository: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "CDK_VALIDATION"}
    environment |= {"CDK_OUTDIR": str(tmp_path), "CDK_CONTEXT_JSON": json.dumps({})}
    program = [sys.executable, "-m", "tests.compliance.support.random_calls", str(CALLS), str(SEED)]

    synth = subprocess.run(program, cwd=repository, env=environment, capture_output=True, text=True, check=False)

    assert synth.returncode == 0, f"seed {SEED}: {synth.stderr}"
    assert "accepted" in synth.stdout
