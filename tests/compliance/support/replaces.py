"""The page docs/replaces.md: what a change of each parameter does to a store, as the replacement guard judges it.

Update it with ``python -m tests.compliance.support.replaces > docs/replaces.md``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import aws_cdk as cdk

from cdk_redis._operations.guard import compare
from cdk_redis._operations.template_changes import Change
from tests.compliance.support.edits import EDITS, STORE_TYPES, Build
from tests.compliance.support.elasticache import REGION, Parts

Changes = dict[str, list[Change]]

_HEAD = """\
# What a change replaces

These tables show what CloudFormation does when one parameter of a store changes. If the store is replaced, the new one
is empty, and `removal_policy` decides what happens to the old one: by default, it is deleted after a final snapshot. A
new id of the construct, or of one of its parents, replaces it, too.

The tables are what `cdk-redis guard` says of each change, which reads CloudFormation's schemas:
`python -m tests.compliance.support.replaces > docs/replaces.md`.

`network`, `vpc` and `vpc_subnets` are not listed, because a store cannot move to another network: define a second store
there.
"""


def changes_of_edits() -> Changes:
    """The changes of each edit, by its name: compared are two cloud assemblies with a stack for each edit."""
    with tempfile.TemporaryDirectory() as folder:
        before = _synthesize(Path(folder, "before"), (edit.before for edit in EDITS))
        after = _synthesize(Path(folder, "after"), (edit.after for edit in EDITS))
        changes = compare(before, after)
    found: Changes = {edit.name: [] for edit in EDITS}
    for change in changes:
        found[EDITS[int(change.template.removeprefix("Edit"))].name].append(change)
    return found


def _synthesize(outdir: Path, builds: Iterable[Build]) -> Path:
    app = cdk.App(outdir=str(outdir))
    for number, build in enumerate(builds):
        stack = cdk.Stack(app, f"Edit{number}", env=cdk.Environment(account="111122223333", region=REGION))
        build(Parts(stack))
    app.synth()
    return outdir


def change_of_store(changes: Changes, store: type, parameter: str) -> Change | None:
    """What a change of a parameter does to the store; None if no property of the store changes."""
    resource_type = f"AWS::{STORE_TYPES[store]}"
    return next((one for one in changes[f"{store.__name__}.{parameter}"] if one.resource_type == resource_type), None)


def parameters(store: type) -> list[str]:
    """The parameters of a store that have an edit."""
    prefix = f"{store.__name__}."
    return [edit.name.removeprefix(prefix) for edit in EDITS if edit.name.startswith(prefix)]


def page(changes: Changes) -> str:
    """The content of the page."""
    parts = [_HEAD]
    for store in STORE_TYPES:
        parts.append(f"\n## `{store.__name__}`\n\n| Parameter | Sets | A change |\n| --- | --- | --- |\n")
        for parameter in parameters(store):
            change = change_of_store(changes, store, parameter)
            if change is None:
                parts.append(f"| `{parameter}` | no property of the store | changes in place |\n")
                continue
            what = "**replaces the store**" if change.effect.ends_resource else f"changes {change.effect.value}"
            sets = ", ".join(f"`{name}`" for name in change.properties) or "the logical id"
            parts.append(f"| `{parameter}` | {sets} | {what} |\n")
    return "".join(parts)


if __name__ == "__main__":
    print(page(changes_of_edits()), end="")
