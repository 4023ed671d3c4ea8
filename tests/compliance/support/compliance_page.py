"""docs/compliance.md: the values of the presets, and the findings that the constructs acknowledge.

``python -m tests.compliance.support.compliance_page > docs/compliance.md``
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import cdk_redis
from cdk_redis import Preset
from cdk_redis._operations.redis_rules import RULES
from tests.compliance.support.findings import Scan
from tests.compliance.support.scanners import REPOSITORY, scan

PAGE = REPOSITORY / "docs" / "compliance.md"
_TEXT = Path(__file__).with_name("compliance_page.md")
_ROW = re.compile(r"^\| `(CKV[^`]*|[A-Z][0-9]{4}|[^`]+-[^`]+)` \| ([^|]+) \|$", re.MULTILINE)
_SPECIAL = {
    "stack_kms_key": "secrets and log groups of all constructs",
    "alarms": "all stores",
    "alarm_topic": "all stores; `SmokeTest` with a schedule",
    "termination_protection": "your stacks, which you pass it to",
}


class accepted(NamedTuple):  # noqa: N801 - a row of the page
    """A rule that the library's constructs acknowledge, and why."""

    rule: str
    reason: str


def rows_of(text: str) -> list[accepted]:
    """The acknowledged findings that a page lists."""
    return [accepted(*found) for found in _ROW.findall(text)]


def presets() -> str:
    """The table of the presets."""
    lines = ["| value | `Preset.dev()` | `Preset.prod()` | used by |", "| --- | --- | --- | --- |"]
    dev, prod = Preset.dev(), Preset.prod()
    for field in dataclasses.fields(Preset):
        shown = [_shown(getattr(one, field.name)) for one in (dev, prod)]
        lines.append(f"| `{field.name}` | {shown[0]} | {shown[1]} | {_users(field.name)} |")
    return "\n".join(lines)


def page(found: Scan) -> str:
    """The page."""
    of_examples = "".join(file.read_text() for file in (REPOSITORY / "examples").rglob("*.py"))
    rows = sorted({(one.rule, one.reason) for one in found.acknowledgements if one.reason not in of_examples})
    table = "\n".join(["| rule | reason |", "| --- | --- |", *(f"| `{rule}` | {reason} |" for rule, reason in rows)])
    checks = "\n".join(f"| `RedisChecks-{rule.name}` | {rule.description} | {rule.fix} |" for rule in RULES)
    text = _TEXT.read_text().replace("{presets}", presets()).replace("{acknowledged}", table)
    return text.replace("{checks}", f"| rule | what it finds | what to do |\n| --- | --- | --- |\n{checks}")


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"`{getattr(value, 'name', value)}`"


def _users(name: str) -> str:
    if name in _SPECIAL:
        return _SPECIAL[name]
    classes = [getattr(cdk_redis, public) for public in cdk_redis.__all__]
    users = [
        one.__name__
        for one in classes
        if inspect.isclass(one) and {name, "preset"} <= inspect.signature(one.__init__).parameters.keys()
    ]
    return ", ".join(f"`{one}`" for one in users)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(page(scan(Path(folder))[0]), end="")
