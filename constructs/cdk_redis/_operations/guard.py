"""The replacement guard: says before a deployment which stores it would replace, and what happens to their data.

In a snapshot test of an app:

assert_no_replacement("tests/templates/CacheStack.json", Template.from_stack(stack))
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cdk_redis._core.errors import ConfigurationError
from cdk_redis._core.wording import shown
from cdk_redis._operations.replacement_rules import Effect
from cdk_redis._operations.template_changes import Change, changes_of

if TYPE_CHECKING:
    from aws_cdk.assertions import Template

_MANIFEST = "manifest.json"
_STACK_ARTIFACT = "aws:cloudformation:stack"
_NESTED_STACK = "AWS::CloudFormation::Stack"


def assert_no_replacement(
    before: Template | Mapping[str, Any] | Path | str,
    after: Template | Mapping[str, Any] | Path | str,
    *,
    allowed: Collection[str] = (),
) -> None:
    """Fail if a deployment would replace or remove a store, or a resource that its data depends on.

    Compared are replication groups, cache clusters, serverless caches, global datastores, MemoryDB clusters and
    Multi-Region clusters, users, user groups, ACLs, subnet groups, keys, secrets, VPCs and subnets, of this library and
    of others.

    Args:
        before: What is deployed: a template, as a mapping, a `Template` of ``aws_cdk.assertions`` or the path of its
            file, or a folder with a cloud assembly, such as ``cdk.out``.
        after: What is to be deployed, of the same kind.
        allowed: Logical ids of resources that may be replaced or removed.

    Raises:
        AssertionError: With each replacement: the property that causes it, what happens to the data, how to avoid it.
        ConfigurationError: If a file does not exist, or is no template.
    """
    found = [change for change in compare(before, after) if change.effect.ends_resource]
    if found := [change for change in found if change.logical_id not in allowed]:
        raise AssertionError("\n".join(["the deployment replaces or removes:", *map(describe, found)]))


def compare(
    before: Template | Mapping[str, Any] | Path | str, after: Template | Mapping[str, Any] | Path | str
) -> list[Change]:
    """What a deployment changes of stores, and of resources that their data depends on.

    A stack that only `before` has is not deleted by a deployment, so it is left out.

    Args:
        before: See `assert_no_replacement`.
        after: See `assert_no_replacement`.

    Raises:
        ConfigurationError: See `assert_no_replacement`.
    """
    old, new = templates_of(before), templates_of(after)
    if len(old) == len(new) == 1:
        # Two files, or a file and a stack: their names differ.
        new = dict(zip(old, new.values(), strict=True))
    elif not old.keys() & new.keys():
        names = f"{', '.join(old) or 'none'} before, {', '.join(new) or 'none'} after"
        raise cannot_compare(f"no stack is in both: {names}")
    found: list[Change] = []
    for name, template in old.items():
        if name in new:
            found += changes_of(name, template, new[name])
        elif name.rpartition("/")[0] in new:  # a nested stack, which is deleted
            found += changes_of(name, template, {})
    return [_moved(change, old, new) for change in found]


def cannot_compare(problem: str) -> ConfigurationError:
    """The error about what cannot be compared."""
    return ConfigurationError("cdk-redis guard", [problem])


def _moved(change: Change, old: Mapping[str, Any], new: Mapping[str, Any]) -> Change:
    """A removal, with the stack that the resource moves to: its logical id does not depend on the stack."""
    if change.effect is not Effect.REMOVAL:
        return change
    for name, template in new.items():
        resource = template.get("Resources", {}).get(change.logical_id, {})
        is_new = change.logical_id not in old.get(name, {}).get("Resources", {})
        if is_new and resource.get("Type") == change.resource_type:
            return replace(change, reason=f"it moves to {name}, where CloudFormation creates a new one")
    return change


def describe(change: Change) -> str:
    """A change in a few lines of text."""
    head = f"{change.effect.value}: {change.path} ({change.resource_type}, {change.logical_id} in {change.template})"
    lines = [change.reason, *change.notes]
    if change.data:
        lines.append(f"data: {change.data}")
    if change.advice:
        lines.append(f"to avoid it: {change.advice}")
    return "\n".join([f"  {head}", *(f"    {line}" for line in lines)])


def templates_of(given: Template | Mapping[str, Any] | Path | str) -> dict[str, Mapping[str, Any]]:
    """The templates in what was given, by the names of their stacks, nested stacks included.

    Raises:
        ConfigurationError: If a file does not exist, or is no template.
    """
    if isinstance(given, Mapping):
        return {"template": given}
    if not isinstance(given, (str, Path)):
        # Importing `Template` would slow down every import of the library.
        if hasattr(given, "to_json"):
            return {"template": given.to_json()}
        forms = "a template, the path of its file, or a folder with a cloud assembly"
        raise cannot_compare(f"got {shown(given)}, but it compares {forms}")
    path = Path(given)
    if path.is_dir():
        return _templates_in(path)
    return {path.name.removesuffix(".json").removesuffix(".template"): _template(path)}


def _templates_in(assembly: Path) -> dict[str, Mapping[str, Any]]:
    if not (assembly / _MANIFEST).is_file():
        raise cannot_compare(f"{assembly} is no cloud assembly: it has no {_MANIFEST}; run cdk synth")
    found: dict[str, Mapping[str, Any]] = {}
    for name, artifact in _read(assembly / _MANIFEST).get("artifacts", {}).items():
        if artifact.get("type") == _STACK_ARTIFACT:
            stack = str(artifact["properties"].get("stackName", name))
            found.update(_with_nested(assembly, stack, _read(assembly / artifact["properties"]["templateFile"])))
        elif artifact.get("type") == "cdk:cloud-assembly":  # a stage
            found.update(_templates_in(assembly / artifact["properties"]["directoryName"]))
    return found


def _with_nested(assembly: Path, name: str, template: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found = {name: template}
    for logical_id, resource in template.get("Resources", {}).items():
        if resource.get("Type") == _NESTED_STACK:
            url = json.dumps(resource.get("Properties", {}).get("TemplateURL"))
            for asset, file in _asset_files(assembly).items():
                if asset in url:
                    found.update(_with_nested(assembly, f"{name}/{logical_id}", _read(assembly / file)))
    return found


def _asset_files(assembly: Path) -> dict[str, str]:
    """Files of the assembly that are uploaded, by their hashes, which are part of their URLs."""
    manifests = [_read(file) for file in sorted(assembly.glob("*.assets.json"))]
    return {asset: one["source"]["path"] for manifest in manifests for asset, one in manifest["files"].items()}


def _template(path: Path) -> Mapping[str, Any]:
    content = _read(path)
    # `aws cloudformation get-template` without --query.
    body = content.get("TemplateBody", content)
    if not isinstance(body, Mapping) or "Resources" not in body:
        # Without this, everything would be new.
        raise cannot_compare(f"{path} is no template in JSON: it has no Resources")
    return cast("Mapping[str, Any]", body)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        raise cannot_compare(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise cannot_compare(f"{path} is no JSON: {error}; the guard compares templates of the CDK, in JSON") from None
    if not isinstance(content, Mapping):
        raise cannot_compare(f"{path} is no template: it holds a {type(content).__name__}")
    return content
