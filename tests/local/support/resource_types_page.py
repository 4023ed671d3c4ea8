"""Writes the part of docs/local-cloud.md that lists resource types, from what a running cloud answers:

python -m tests.local.support.resource_types_page
"""

from __future__ import annotations

import json
import re
from itertools import groupby
from pathlib import Path
from typing import Any

import cfnlint
from botocore.exceptions import ClientError

from cdk_redis_local import LocalCloud
from cdk_redis_local._emulator.handlers.inert import EMULATED, INERT
from cdk_redis_local._emulator.refusals.facts import schema_types
from tests.local.support.service_facts import CLASSIC

PAGE = Path(__file__).parents[3] / "docs" / "local-cloud.md"
BEGIN = "<!-- written by tests/local/support/resource_types_page.py -->"
END = "<!-- until here -->"
_PROVIDER = Path(cfnlint.__file__).parent / "data" / "schemas" / "providers" / "us-east-1.json"
# The most resources of a template.
_AT_ONCE = 500
_UNSUPPORTED = re.compile(r"the local cloud does not support (.*?): leave them out")
_WIDTH = 128


def supported_types(formation: Any) -> list[str]:
    """The types of AWS that a cloud supports: it refuses a template with the others."""
    names = json.loads(_PROVIDER.read_text())
    types = sorted(name for name in names if name.startswith("AWS::") and name not in CLASSIC)
    refused: set[str] = set()
    for start in range(0, len(types), _AT_ONCE):
        some = types[start : start + _AT_ONCE]
        body = json.dumps({"Resources": {f"R{number}": {"Type": name} for number, name in enumerate(some)}})
        try:
            formation.validate_template(TemplateBody=body)
        except ClientError as error:
            found = _UNSUPPORTED.search(str(error))
            if found is None:
                raise
            refused |= set(found[1].split(", "))
    return [name for name in types if name not in refused]


def written(supported: list[str]) -> str:
    """The part of the page."""
    services = schema_types()
    stores = [name for name in supported if name in services]
    others = [name for name in supported if name not in (*services, *INERT, *EMULATED)]
    rows = [f"| `{name}` | {reason} |" for name, reason in {**INERT, **EMULATED}.items()]
    return "\n".join(
        [
            BEGIN,
            f"**With real engines** ({len(stores)} types of both services):",
            "",
            *_by_service(stores),
            "",
            f"**Without the effect of AWS** ({len(rows)} types; a message says so when a stack has one):",
            "",
            "| type | what does not happen |",
            "| --- | --- |",
            *rows,
            "",
            f"**As the emulator has them** ({len(others)} types):",
            "",
            *_by_service(others),
            END,
        ]
    )


def _by_service(types: list[str]) -> list[str]:
    lines: list[str] = []
    for service, names in groupby(types, lambda name: name.rpartition("::")[0]):
        line = f"* `{service}`:"
        for word in ", ".join(name.rpartition("::")[2] for name in names).split(" "):
            if len(line) + 1 + len(word) > _WIDTH:
                lines.append(line)
                line = " "
            line += f" {word}"
        lines.append(line)
    return lines


def part_of(page: str) -> str:
    """The part between the marks."""
    return page[page.index(BEGIN) : page.index(END) + len(END)]


if __name__ == "__main__":
    with LocalCloud() as cloud:
        made = written(supported_types(cloud.client("cloudformation")))
    text = PAGE.read_text()
    PAGE.write_text(text.replace(part_of(text), made))
