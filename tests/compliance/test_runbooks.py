"""The code of each runbook does to the stores what the page says, as the replacement guard judges it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

import cdk_redis
from cdk_redis import RedisNetwork
from cdk_redis._operations.guard import compare
from cdk_redis._operations.stateful_types import STORES

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "runbooks"
PAGES = sorted(page.name for page in FOLDER.glob("*.md") if page.name != "README.md")
PARTS = re.compile(r"^```python\n(.*?)^```$|^Guard: (.*?)$", re.MULTILINE | re.DOTALL)


def synthesized(code: str) -> dict[str, Any]:
    stack = cdk.Stack(cdk.App(), "Orders", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    names = {name: getattr(cdk_redis, name) for name in cdk_redis.__all__}
    exec(code, {**names, "cdk": cdk, "self": stack, "network": RedisNetwork(stack, "Network")})
    return dict(Template.from_stack(stack).to_json())


def verdict(before: dict[str, Any], after: dict[str, Any]) -> str:
    """What changes of the stores, and what else ends."""
    changes = compare(before, after)
    stores = [
        f"{one.effect.value} ({', '.join(one.properties)})" if one.properties else one.effect.value
        for one in changes
        if one.resource_type in STORES
    ]
    others = [one for one in changes if one.resource_type not in STORES and one.effect.ends_resource]
    ended = sorted({f"{one.effect.value} of {one.resource_type}" for one in others})
    return "; ".join([*(stores or ["no store changes"]), *ended])


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_runbook_does_what_the_page_says(page: str) -> None:
    parts = PARTS.findall((FOLDER / page).read_text())
    assert [bool(code) for code, _ in parts] == [True, *[True, False] * (len(parts) // 2)]
    templates = [synthesized(code) for code, _ in parts if code]

    found = [verdict(*pair) for pair in itertools.pairwise(templates)]

    assert found == [said for _, said in parts if said]


def test_the_overview_lists_all_runbooks() -> None:
    assert sorted(re.findall(r"\]\(([\w-]+\.md)\)", (FOLDER / "README.md").read_text())) == PAGES


def test_links_of_runbooks_lead_to_files() -> None:
    pages = [*FOLDER.glob("*.md"), FOLDER.parent / "adoption.md"]
    links = [(page, link) for page in pages for link in re.findall(r"\]\((?!http)([^)#]+)", page.read_text())]
    files = [(page, name) for page in pages for name in re.findall(r"`(tests/[\w/]+\.py)`", page.read_text())]

    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []
    assert [f"{page.name}: {name}" for page, name in files if not (FOLDER.parents[1] / name).exists()] == []
