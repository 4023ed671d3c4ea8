"""Any combination of a replication group's parameters is refused by the constructor, or gives a valid template."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cfnlint.api import ManualArgs, lint

from tests.compliance.support.combinations import COMBINATIONS, LINTED, VALUES
from tests.compliance.support.elasticache import REGION

# 15 and 30 seconds on an idle machine.
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

# Levels of cfn-lint's rules that are ignored, each with the reason.
IGNORED = {
    "W": "warnings are advice, and another test checks them for the templates of the app",
    "I": "information is not a finding",
}
# All values of these are valid, in every combination.
NEVER_REFUSED = {"auto_minor_version_upgrade", "description", "removal_policy"}
# The message has the name of the other parameter of an invalid combination.
REFUSED_AS_ANOTHER = {"restore", "snapshots", "unsafe_open_access", "unsafe_plaintext"}


class Outcome(NamedTuple):
    accepted: int
    refused: dict[str, int]
    never: list[list[str]]
    output: str
    templates: list[Path]


@pytest.fixture(scope="module")
def outcome(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Synthesize all combinations in one process, with the validation of aws-cdk-lib."""
    outdir = tmp_path_factory.mktemp("combinations")
    environment = {name: value for name, value in os.environ.items() if name != "CDK_VALIDATION"}
    arguments = [sys.executable, "-m", "tests.compliance.support.combinations", str(outdir)]
    # An exception other than ConfigurationError, or a finding of the validation, ends the process with a traceback.
    run = subprocess.run(arguments, cwd=repository, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
    counts: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return Outcome(
        counts["accepted"],
        counts["refused"],
        counts["never"],
        "\n".join(run.stdout.splitlines()[:-1]) + run.stderr,
        sorted(outdir.glob(f"{LINTED}*.template.json")),
    )


def test_combinations_are_refused_or_pass_the_validation_of_the_cdk(outcome: Outcome) -> None:
    assert outcome.output == ""
    assert COMBINATIONS // 4 < outcome.accepted < COMBINATIONS


def test_every_pair_of_parameters_is_tried(outcome: Outcome) -> None:
    assert outcome.never == []


def test_every_parameter_is_refused_in_some_combination(outcome: Outcome) -> None:
    refused = {parameter.partition("[")[0] for parameter in outcome.refused}

    assert refused >= VALUES.keys() - NEVER_REFUSED - REFUSED_AS_ANOTHER


def test_every_accepted_value_and_pair_of_parameters_passes_cfn_lint(outcome: Outcome) -> None:
    configuration = ManualArgs(regions=[REGION], ignore_checks=[*IGNORED])
    assert outcome.templates
    found = {
        f"{match.rule.id} {match.message}"
        for template in outcome.templates
        for match in lint(template.read_text(), config=configuration)
    }
    assert found == set()
