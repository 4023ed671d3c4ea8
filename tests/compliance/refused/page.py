"""The page of all checks, made from the rows.

Write it again with ``python -m tests.compliance.refused.page > docs/checks.md``.
"""

from __future__ import annotations

from types import ModuleType

from tests.compliance.refused import (
    adoption,
    alarms,
    bindings,
    hosts,
    keys,
    network,
    node_types,
    parameters,
    resources,
    rotation,
    scaling,
    security,
    stores,
    users,
)

# The themes in the order of the page.
THEMES: dict[str, ModuleType] = {
    "Security": security,
    "Users": users,
    "Rotation": rotation,
    "Node types and versions": node_types,
    "Engine parameters": parameters,
    "Scaling and global datastores": scaling,
    "Resources of other places and services": resources,
    "Bindings": bindings,
    "Stores that exist": adoption,
    "Keys": keys,
    "Networks": network,
    "Stores": stores,
    "Alarms": alarms,
    "Client hosts": hosts,
}

_HEAD = """\
# What is checked before the deploy

The constructs raise a `ConfigurationError` for what AWS would refuse later, and for what lowers security unasked. Each
row is a call that a test makes. The page is made from those tests:
`python -m tests.compliance.refused.page > docs/checks.md`.
"""


def page() -> str:
    """The page, whole."""
    parts = [_HEAD]
    for theme, rows in THEMES.items():
        parts.append(f"\n## {theme}\n\n| Rule | Example of a message | Source |\n| --- | --- | --- |\n")
        # The first row of a rule is its example.
        examples = {row.rule: row for row in reversed(rows.REFUSED)}
        parts += [
            f"| {row.rule} | `{_cell(row.message)}` | {_link(row.source)} |\n"
            for row in rows.REFUSED
            if examples[row.rule] is row
        ]
    return "".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'").replace("\n", " ")


def _link(source: str) -> str:
    return f"[AWS]({source})" if source.startswith("https://") else _cell(source)


if __name__ == "__main__":
    print(page(), end="")
