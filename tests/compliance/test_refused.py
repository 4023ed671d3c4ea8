"""What AWS would refuse is refused at synth, with words that say what to do; what is legal is accepted.

The rows are in tests/compliance/refused/, a module a theme; docs/checks.md is made from them.
"""

from __future__ import annotations

import json
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from cfnlint.api import ManualArgs, lint

from cdk_redis import ConfigurationError, RedisNetwork
from tests.compliance.refused.page import THEMES, page
from tests.compliance.refused.rows import REGION, Refused, Scene

REFUSED: dict[str, Refused] = {
    f"{theme} {number}: {row.rule}": row for theme, rows in THEMES.items() for number, row in enumerate(rows.REFUSED)
}
ACCEPTED = [row for rows in THEMES.values() for row in rows.ACCEPTED]
# Errors of cfn-lint that are wrong, see test_memorydb_combinations.py.
FALSE_POSITIVES = {"DataTiering", "NetworkType", "IpDiscovery"}
# A template has at most 500 resources.
ROWS_A_STACK = 20


def new_stack(app: cdk.App, name: str = "Stack") -> tuple[cdk.Stack, RedisNetwork]:
    stack = cdk.Stack(app, name, env=cdk.Environment(account="111122223333", region=REGION))
    return stack, RedisNetwork(stack, "Network")


@pytest.fixture(scope="module")
def shared() -> tuple[cdk.Stack, RedisNetwork]:
    return new_stack(cdk.App())


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_what_is_allowed(shared: tuple[cdk.Stack, RedisNetwork], name: str) -> None:
    row = REFUSED[name]
    scene = Scene(*shared, f"Row{[*REFUSED].index(name)}")
    before = scene.scope.node.path

    with pytest.raises(ConfigurationError) as caught:
        row.call(scene)

    where, _, message = str(caught.value).partition(": ")
    assert message.replace(before, "...") == row.message, where


# 17 seconds on an idle machine.
@pytest.mark.timeout(600)
def test_what_is_legal_is_accepted_and_has_no_findings() -> None:
    app = cdk.App()
    stacks: list[cdk.Stack] = []
    for start in range(0, len(ACCEPTED), ROWS_A_STACK):
        stack, network = new_stack(app, f"Stack{start}")
        stacks.append(stack)
        for number, row in enumerate(ACCEPTED[start : start + ROWS_A_STACK]):
            row.call(Scene(stack, network, f"Row{number}"))
    for stack in stacks:
        template = Template.from_stack(stack).to_json()
        matches = lint(json.dumps(template), config=ManualArgs(regions=[REGION]))
        found = [
            f"{match.rule.id} {match.path}: {match.message}"
            for match in matches
            if match.rule.severity == "error" and not FALSE_POSITIVES & set(map(str, match.path or []))
        ]
        assert found == [], stack.node.id


def test_the_page_of_all_checks_is_current(repository: Path) -> None:
    command = "python -m tests.compliance.refused.page > docs/checks.md"
    assert (repository / "docs" / "checks.md").read_text() == page(), f"run: {command}"
