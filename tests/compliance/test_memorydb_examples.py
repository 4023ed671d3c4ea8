"""The MemoryDB examples: shorter than what they are measured by, and clean under both validations."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cfnlint.api import ManualArgs, lint

# Lines of configuration, without blank lines and comments, of the examples `redis` and `valkey` of
# terraform-aws-modules/terraform-aws-memory-db in main.tf, counted in November 2026; the module that they call, and the
# modules for the VPC and the security group, are not among them. There is none for Multi-Region: it is measured by
# the others.
TERRAFORM_LINES = {"memorydb_redis": 115, "memorydb_valkey": 115, "memorydb_multi_region": 115}
# The schema has `{"$ref": <an enumeration of strings>, "type": "object"}` for these, so that no value fits.
FALSE_POSITIVES = {
    "E3012": ("'true' is not of type 'object'", "DataTiering is the text 'true' or 'false'"),
}


def lines_of_configuration(path: Path) -> int:
    """Lines that hold code: no blank ones, no comments, no docstring."""
    source = path.read_text()
    docstring = ast.parse(source).body[0]
    assert isinstance(docstring, ast.Expr)
    rest = source.splitlines()[docstring.end_lineno :]
    return sum(1 for line in rest if line.strip() and not line.strip().startswith("#"))


def findings(template: str, region: str) -> list[str]:
    matches = lint(template, config=ManualArgs(regions=[region]))
    texts = [(match.rule.id, f"{match.rule.id} {match.message}") for match in matches if match.rule.severity == "error"]
    return [text for rule, text in texts if FALSE_POSITIVES.get(rule, ("-",))[0] not in text]


@pytest.mark.parametrize(("name", "terraform"), TERRAFORM_LINES.items())
def test_an_example_is_short_and_clean(name: str, terraform: int, repository: Path, tmp_path: Path) -> None:
    path = repository / "examples" / f"{name}.py"
    environment = {key: value for key, value in os.environ.items() if key != "CDK_VALIDATION"}
    context = json.loads((repository / "cdk.json").read_text())["context"]
    run = subprocess.run(
        [sys.executable, str(path)],
        cwd=tmp_path,
        env={**environment, "CDK_OUTDIR": str(tmp_path / "out"), "CDK_CONTEXT_JSON": json.dumps(context)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert lines_of_configuration(path) < terraform
    templates = sorted((tmp_path / "out").glob("*.template.json"))
    regions = ["eu-west-1", "us-west-2"][: len(templates)]
    found = [findings(path.read_text(), region) for path, region in zip(templates, regions, strict=True)]
    assert not any(found), found
