"""The page docs/replaces.md: which changes replace a replication group, from CloudFormation's schema and templates.

Update it with ``python -m tests.compliance.support.replaces > docs/replaces.md``.
"""

from __future__ import annotations

from tests.compliance.support import schemas
from tests.compliance.support.elasticache import CHANGES, REPLICATION_GROUP, changed_properties

IN_PLACE, CONDITIONAL, REPLACES = "changes in place", "can replace the store", "**replaces the store**"

_HEAD = """\
# What a change replaces

This table shows what CloudFormation does when one parameter of a `ReplicationGroup` changes. If the store is replaced,
the new one is empty, and `removal_policy` decides what happens to the old one: by default, it is deleted after a final
snapshot. The table is generated from CloudFormation's schema:
`python -m tests.compliance.support.replaces > docs/replaces.md`.

`network` is not listed, because a store cannot move to another network: define a second store there.

| Parameter | Sets | A change |
| --- | --- | --- |
"""


def effect(parameter: str) -> tuple[list[str], str]:
    """The properties that a change of a parameter changes, and the effect on the store."""
    (before,), (after,) = (list(found.values()) for found in changed_properties(parameter))
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if schemas.create_only(REPLICATION_GROUP).intersection(changed):
        return changed, REPLACES
    if schemas.conditional_create_only(REPLICATION_GROUP).intersection(changed):
        return changed, CONDITIONAL
    return changed, IN_PLACE


def table() -> str:
    """The content of the page."""
    rows = []
    for parameter in CHANGES:
        changed, what = effect(parameter)
        properties = ", ".join(f"`{name}`" for name in changed) or "no property of the store"
        rows.append(f"| `{parameter}` | {properties} | {what} |\n")
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    print(table(), end="")
