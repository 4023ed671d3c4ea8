"""The examples synthesize without findings, and are no longer than their counterparts in Terraform modules."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.compliance.support.linting import lint_errors

pytestmark = pytest.mark.long

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
APPS = sorted(EXAMPLES.glob("*/app.py"))
SYNTHESIZE = EXAMPLES.parent / "tests" / "support" / "synthesize_examples.py"
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
# Lines of the examples `redis` and `valkey` of terraform-aws-modules/terraform-aws-memory-db in main.tf, without blank
# lines and comments, counted in November 2026. The modules that they call are not counted. They have no example of
# several Regions: ours is compared with the same number.
MEMORYDB_LINES = {"memorydb_redis": 115, "memorydb_valkey": 115, "memorydb_multi_region": 115}
# Regions of the stacks. Default: us-east-1 and eu-west-1.
REGIONS = {"memorydb_multi_region": ["eu-west-1", "us-west-2"]}
STORES = {"AWS::ElastiCache::ReplicationGroup", "AWS::ElastiCache::ServerlessCache", "AWS::MemoryDB::Cluster"}


def lines_of_configuration(example: Path) -> int:
    """Lines other than blank lines, comments and the module's docstring; imports count."""
    source = example.read_text()
    docstring = ast.parse(source).body[0]
    lines = source.splitlines()[docstring.end_lineno :]
    return sum(1 for line in lines if line.strip() and not line.strip().startswith("#"))


def name_of(example: Path) -> str:
    """``memorydb_redis`` for ``memorydb_redis.py``, ``existing_vpc-app`` for ``existing_vpc/app.py``."""
    return "-".join(example.relative_to(EXAMPLES).with_suffix("").parts)


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for each example, with its templates and its output, synthesized with aws-cdk-lib's validation."""
    out = tmp_path_factory.mktemp("examples")
    context = json.loads((EXAMPLES.parent / "cdk.json").read_text())["context"]
    environment = {name: value for name, value in os.environ.items() if name != "CDK_VALIDATION"}
    run = subprocess.run(
        [sys.executable, str(SYNTHESIZE), str(EXAMPLES), str(out)],
        cwd=out,
        env={**environment, "CDK_CONTEXT_JSON": json.dumps(context)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    return out


ALL = [*COUNTERPARTS, *sorted(EXAMPLES.glob("memorydb_*.py")), *APPS]


@pytest.mark.parametrize("example", ALL, ids=map(name_of, ALL))
def test_it_synthesizes_without_findings(example: Path, synthesized: Path) -> None:
    name = name_of(example)
    templates = sorted((synthesized / name).glob("*.template.json"))
    types = {resource["Type"] for path in templates for resource in json.loads(path.read_text())["Resources"].values()}
    # The examples for MemoryDB have no smoke test, as their counterparts.
    assert "Custom::Trigger" in types or name in MEMORYDB_LINES
    assert types & STORES or name == "imported_store-app"
    # The apps define a VPC or a function, for which the CDK gives warnings.
    if example not in APPS:
        assert (synthesized / name / "output.txt").read_text() == ""
        regions = REGIONS.get(name, ["us-east-1", "eu-west-1"])
        found = {path.name: lint_errors(path.read_text(), regions) for path in templates}
        assert not any(found.values()), found


def test_every_example_is_tested() -> None:
    # tests/compliance/test_applications.py runs the unit tests of the applications.
    assert set(ALL) == {*EXAMPLES.glob("*.py"), *EXAMPLES.glob("*/*.py")} - {*EXAMPLES.glob("*/test_*.py")}
    assert {path.parent.name for path in APPS} >= {"lambda_function", "existing_vpc", "imported_store"}


@pytest.mark.parametrize(("name", "lines"), MEMORYDB_LINES.items())
def test_a_memorydb_example_is_shorter_than_its_counterpart(name: str, lines: int) -> None:
    assert lines_of_configuration(EXAMPLES / f"{name}.py") < lines


@pytest.mark.parametrize("example", COUNTERPARTS, ids=[path.stem for path in COUNTERPARTS])
def test_it_is_no_longer_than_its_counterpart(example: Path) -> None:
    _module, _name, theirs, ours = TABLE[example.stem]
    assert lines_of_configuration(example) == int(ours)
    assert int(ours) <= int(theirs)


def test_each_of_their_examples_has_a_counterpart() -> None:
    assert {name for module, name, *_ in TABLE.values() if module == "terraform-aws-modules"} == TERRAFORM_AWS_MODULES
    assert {name for module, name, *_ in TABLE.values() if module == "cloudposse"} == CLOUDPOSSE
    assert {path.stem for path in COUNTERPARTS} == set(TABLE)
