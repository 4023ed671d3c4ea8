"""Reads a cloud assembly, the folder that an app is synthesized to: its stacks, their assets and their order.

Schema: https://github.com/aws/aws-cdk-cli/tree/main/packages/%40aws-cdk/cloud-assembly-schema
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdk_redis_local._core.errors import LocalCloudError

MANIFEST = "manifest.json"
_STACK, _ASSETS, _ASSEMBLY = "aws:cloudformation:stack", "cdk:asset-manifest", "cdk:cloud-assembly"


@dataclass(frozen=True)
class FileAsset:
    """A file or a folder, which is zipped, and its places in buckets."""

    source: Path
    zipped: bool
    bucket: str
    key: str


@dataclass(frozen=True)
class SynthesizedStack:
    """A stack of an assembly. ``dependencies`` are ids of other stacks."""

    id: str
    name: str
    path: str
    account: str
    region: str
    template: Path
    template_url: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    termination_protection: bool
    assets: Sequence[FileAsset]
    dependencies: frozenset[str]


def read_stacks(assembly: Path, account: str, region: str) -> list[SynthesizedStack]:
    """The stacks of an assembly and of the assemblies in it, in no order.

    Args:
        assembly: The folder.
        account: The account of stacks that name none.
        region: The Region of stacks that name none.

    Raises:
        LocalCloudError: Only the CDK CLI can deploy the assembly; the message says why.
    """
    manifest = json.loads((assembly / MANIFEST).read_text())
    if manifest.get("missing"):
        keys = ", ".join(sorted(str(entry["key"]) for entry in manifest["missing"]))
        raise _only_the_cli(f"the app looks up context: {keys}")
    artifacts: dict[str, dict[str, Any]] = manifest.get("artifacts", {})
    found: list[SynthesizedStack] = []
    for name, artifact in artifacts.items():
        if artifact["type"] == _ASSEMBLY:
            found += read_stacks(assembly / artifact["properties"]["directoryName"], account, region)
        elif artifact["type"] == _STACK:
            found.append(_read_stack(assembly, artifacts, name, account, region))
    return found


def select(stacks: Sequence[SynthesizedStack], patterns: Sequence[str]) -> list[SynthesizedStack]:
    """The stacks with these names, ids or paths, as for ``cdk deploy``, and those that they depend on.

    Raises:
        LocalCloudError: There is no stack with a name.
    """
    by_id = {stack.id: stack for stack in stacks}
    chosen: dict[str, SynthesizedStack] = {}
    pending = list(stacks) if not patterns else []
    for pattern in patterns:
        matching = [
            one for one in stacks if any(fnmatch.fnmatch(text, pattern) for text in (one.id, one.name, one.path))
        ]
        if not matching:
            raise LocalCloudError(f"no stack {pattern}; the stacks are {', '.join(sorted(one.path for one in stacks))}")
        pending += matching
    while pending:
        stack = pending.pop()
        if stack.id not in chosen:
            chosen[stack.id] = stack
            pending += [by_id[one] for one in stack.dependencies if one in by_id]
    return list(chosen.values())


def _read_stack(
    assembly: Path, artifacts: Mapping[str, dict[str, Any]], name: str, account: str, region: str
) -> SynthesizedStack:
    artifact = artifacts[name]
    path = str(artifact.get("displayName") or name)
    if any(entry["type"] == "aws:cdk:asset" for entry in _metadata(assembly, artifact)):
        raise _only_the_cli(f"{path} has assets of the legacy synthesizer")
    properties = artifact["properties"]
    # Such as aws://unknown-account/eu-west-1.
    declared_account, _, declared_region = str(artifact["environment"]).removeprefix("aws://").partition("/")
    account = account if declared_account == "unknown-account" else declared_account
    region = region if declared_region == "unknown-region" else declared_region
    direct = list(artifact.get("dependencies", []))
    manifests = [one for one in direct if artifacts.get(one, {}).get("type") == _ASSETS]
    return SynthesizedStack(
        id=name,
        name=str(properties.get("stackName") or name),
        path=path,
        account=account,
        region=region,
        template=assembly / properties["templateFile"],
        template_url=_placed(str(properties.get("stackTemplateAssetObjectUrl", "")), account, region),
        parameters={key: str(value) for key, value in (properties.get("parameters") or {}).items()},
        tags=properties.get("tags") or {},
        termination_protection=bool(properties.get("terminationProtection")),
        assets=[
            asset
            for one in manifests
            for asset in _assets(assembly, artifacts[one]["properties"]["file"], path, account, region)
        ],
        dependencies=frozenset(one for one in direct if artifacts.get(one, {}).get("type") == _STACK),
    )


def _metadata(assembly: Path, artifact: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    # Newer versions of aws-cdk-lib write it to a file of its own.
    more = artifact.get("additionalMetadataFile")
    for metadata in (artifact.get("metadata", {}), json.loads((assembly / more).read_text()) if more else {}):
        for entries in metadata.values():
            yield from entries


def _assets(assembly: Path, file: str, path: str, account: str, region: str) -> Iterator[FileAsset]:
    manifest = json.loads((assembly / file).read_text())
    if manifest.get("dockerImages"):
        raise _only_the_cli(f"{path} has assets that are images of containers")
    for asset in manifest.get("files", {}).values():
        source = asset["source"]
        if "path" not in source:
            raise _only_the_cli(f"{path} has an asset that a command makes")
        for place in asset["destinations"].values():
            yield FileAsset(
                source=assembly / source["path"],
                zipped=source.get("packaging") == "zip",
                bucket=_placed(place["bucketName"], account, region),
                key=_placed(place["objectKey"], account, region),
            )


def _placed(text: str, account: str, region: str) -> str:
    for name, value in (("AccountId", account), ("Region", region), ("Partition", "aws")):
        text = text.replace(f"${{AWS::{name}}}", value)
    return text


def _only_the_cli(reason: str) -> LocalCloudError:
    return LocalCloudError(f"{reason}: deploy it with the CDK CLI (cli=True)")
