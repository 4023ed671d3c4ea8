"""cfn-lint finds no errors in the templates of the app."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cfnlint.api import ManualArgs, lint

pytestmark = pytest.mark.long

# Rules with false positives in our templates, each with the reason. Keep the list short.
FALSE_POSITIVES: dict[str, str] = {}


def errors(template: str) -> list[str]:
    configuration = ManualArgs(regions=["us-east-1", "eu-central-1"], ignore_checks=[*FALSE_POSITIVES])
    matches = lint(template, config=configuration)
    return [f"{match.rule.id} {match.path}: {match.message}" for match in matches if match.rule.severity == "error"]


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_templates_have_no_errors(environment: str, templates: Callable[[str], dict[str, Path]]) -> None:
    found = {stack: errors(template.read_text()) for stack, template in templates(environment).items()}
    assert len(found) == 4
    assert not any(found.values()), found


def test_the_linter_finds_errors() -> None:
    template = '{"Resources": {"Store": {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": {}}}}'
    assert [error[:5] for error in errors(template)] == ["E3003"]
