"""Any combination of a MemoryDB cluster's parameters is refused by the constructor, or passes both validations."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cfnlint.api import ManualArgs, lint

from tests.compliance.support.memorydb_combinations import COMBINATIONS, LINTED

pytestmark = pytest.mark.long

# False positives of cfn-lint, by rule and property, each with the reason.
_NO_VALUE_FITS = "the schema has an enumeration of texts and `type: object`, so that no value is valid"
FALSE_POSITIVES = {"E3012": dict.fromkeys(("DataTiering", "NetworkType", "IpDiscovery"), _NO_VALUE_FITS)}


@pytest.mark.timeout(600)
def test_every_combination_is_refused_or_passes_both_validations(repository: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "CDK_VALIDATION"}
    context = json.loads((repository / "cdk.json").read_text())["context"]
    run = subprocess.run(
        [sys.executable, "-m", "tests.compliance.support.memorydb_combinations"],
        cwd=repository,
        env={**environment, "CDK_OUTDIR": str(tmp_path), "CDK_CONTEXT_JSON": json.dumps(context)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    # Warnings of the constructs, such as of open access, are expected. Findings of the validation are not.
    found = [line for line in run.stderr.splitlines() if line.startswith(("WARNING", "ERROR"))]
    assert [line for line in found if not line.endswith("(Annotation)")] == []
    count = json.loads(run.stdout)
    assert count["tried"] >= COMBINATIONS
    assert count["never"] == [], "pairs of parameters that were never tried together"
    # The test needs many accepted and many refused combinations.
    assert COMBINATIONS // 5 < count["accepted"] < COMBINATIONS * 4 // 5
    templates = sorted(tmp_path.glob(f"{LINTED}*.template.json"))
    assert templates
    linted = {template.name: errors(template.read_text()) for template in templates}
    assert not any(linted.values()), linted


def errors(template: str) -> list[str]:
    matches = lint(template, config=ManualArgs(regions=["us-east-1"]))
    return [
        f"{match.rule.id} {match.path}: {match.message}"
        for match in matches
        if match.rule.severity == "error"
        and not any(str(part) in FALSE_POSITIVES.get(match.rule.id, {}) for part in match.path or [])
    ]
