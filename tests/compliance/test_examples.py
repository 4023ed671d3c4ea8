"""The examples that stand beside those of the Terraform modules: each deploys, without findings, and is no longer."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cfnlint.api import ManualArgs, lint

pytestmark = pytest.mark.long

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
COUNTERPARTS = sorted(EXAMPLES.glob("elasticache_*.py"))
ROW = re.compile(r"^\| `(\w+)\.py` \| (\S+) `([\w-]+)` \| (\d+) \| (\d+) \|", re.MULTILINE)
TABLE = {row[0]: row[1:] for row in ROW.findall((EXAMPLES / "README.md").read_text())}
TERRAFORM_AWS_MODULES = {
    "redis-cluster",
    "redis-cluster-mode",
    "redis-replication-group",
    "redis-replication-group-with-cluster-replica",
    "redis-global-replication-group",
    "serverless-cache",
    "valkey-replication-group",
}
CLOUDPOSSE = {"complete", "serverless"}
# Rules that are wrong about a template of ours, each with the reason.
FALSE_POSITIVES: dict[str, str] = {}


def lines_of_configuration(example: Path) -> int:
    """Lines that are neither blank, nor a comment, nor the module's docstring; imports count."""
    source = example.read_text()
    docstring = ast.parse(source).body[0]
    lines = source.splitlines()[docstring.end_lineno :]
    return sum(1 for line in lines if line.strip() and not line.strip().startswith("#"))


def synthesize(example: Path, outdir: Path) -> tuple[str, dict[str, str]]:
    """Run an app as a user would, with the built-in validation; gives what it said, and each stack's template."""
    context = json.loads((EXAMPLES.parent / "cdk.json").read_text())["context"]
    environment = {name: value for name, value in os.environ.items() if name != "CDK_VALIDATION"}
    environment |= {"CDK_OUTDIR": str(outdir / "cdk.out"), "CDK_CONTEXT_JSON": json.dumps(context)}
    run = subprocess.run(
        [sys.executable, str(example)], cwd=outdir, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    templates = (outdir / "cdk.out").glob("*.template.json")
    return run.stdout + run.stderr, {path.name.partition(".")[0]: path.read_text() for path in templates}


def lint_errors(template: str) -> list[str]:
    configuration = ManualArgs(regions=["us-east-1", "eu-west-1"], ignore_checks=[*FALSE_POSITIVES])
    matches = lint(template, config=configuration)
    return [f"{match.rule.id} {match.path}: {match.message}" for match in matches if match.rule.severity == "error"]


@pytest.mark.parametrize("example", COUNTERPARTS, ids=[path.stem for path in COUNTERPARTS])
def test_it_synthesizes_without_findings(example: Path, tmp_path: Path) -> None:
    said, templates = synthesize(example, tmp_path)
    assert said == ""
    types = {resource["Type"] for text in templates.values() for resource in json.loads(text)["Resources"].values()}
    assert types & {"AWS::ElastiCache::ReplicationGroup", "AWS::ElastiCache::ServerlessCache"}
    assert "Custom::Trigger" in types
    found = {stack: lint_errors(template) for stack, template in templates.items()}
    assert not any(found.values()), found


@pytest.mark.parametrize("example", COUNTERPARTS, ids=[path.stem for path in COUNTERPARTS])
def test_it_is_no_longer_than_its_counterpart(example: Path) -> None:
    _module, _name, theirs, ours = TABLE[example.stem]
    assert lines_of_configuration(example) == int(ours)
    assert int(ours) <= int(theirs)


def test_each_of_their_examples_has_a_counterpart() -> None:
    assert {name for module, name, *_ in TABLE.values() if module == "terraform-aws-modules"} == TERRAFORM_AWS_MODULES
    assert {name for module, name, *_ in TABLE.values() if module == "cloudposse"} == CLOUDPOSSE
    assert {path.stem for path in COUNTERPARTS} == set(TABLE)
