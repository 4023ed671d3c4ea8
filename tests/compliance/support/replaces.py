"""Which changes replace a replication group: a table made from CloudFormation's schema and from what is synthesized.

Write it anew with ``python -m tests.compliance.support.replaces > docs/replaces.md``.
"""

from __future__ import annotations

from tests.compliance.support import schemas
from tests.compliance.support.elasticache import CHANGES, REPLICATION_GROUP, changed_properties

IN_PLACE, CONDITIONAL, REPLACES = "changes in place", "can replace the store", "**replaces the store**"

_HEAD = """\
# What a change replaces

`ReplicationGroup`: what CloudFormation does when one parameter changes. Where a store is replaced, the new one is
empty, and of the old one remains what `removal_policy` says: by default a final snapshot. The table is made from
CloudFormation's own schema: `python -m tests.compliance.support.replaces > docs/replaces.md`.

`network` is not in it: a store stays in its network. To move, define another store beside the first.

| Parameter | Sets | A change |
| --- | --- | --- |
"""


def effect(parameter: str) -> tuple[list[str], str]:
    """The properties that a change of a parameter changes, and what that does to the store."""
    (before,), (after,) = (list(found.values()) for found in changed_properties(parameter))
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if schemas.create_only(REPLICATION_GROUP).intersection(changed):
        return changed, REPLACES
    if schemas.conditional_create_only(REPLICATION_GROUP).intersection(changed):
        return changed, CONDITIONAL
    return changed, IN_PLACE


def table() -> str:
    """The page, whole."""
    rows = []
    for parameter in CHANGES:
        changed, what = effect(parameter)
        properties = ", ".join(f"`{name}`" for name in changed) or "nothing of the store's own"
        rows.append(f"| `{parameter}` | {properties} | {what} |\n")
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    print(table(), end="")
