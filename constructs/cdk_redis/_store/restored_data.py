"""Checks of the data that a store is created with: files in S3, and snapshots that are given by their ARN."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_redis._core.location import are_different
from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from cdk_redis._core.errors import Problems
    from cdk_redis._store.store import Store
    from cdk_redis._values.restore import Restore

_PARTITIONS = {"cn": "aws-cn", "us-gov": "aws-us-gov", "us-iso": "aws-iso", "us-isob": "aws-iso-b"}
_REGION = re.compile(r"((?:us-gov|us-iso[a-z]*|[a-z]{2}))-[a-z]+-[0-9]+")
_RESTORE = "restore"


def check_restored_data(problems: Problems, scope: Store, restore: Restore | None) -> None:
    """Check that a store can read the files or the snapshot that it is created with.

    Args:
        problems: Where to add problems.
        scope: The store.
        restore: The data.
    """
    if restore is None:
        return
    region = cdk.Stack.of(scope).region
    for arn in restore.object_arns:
        _check_partition(problems, arn, region)
    name = restore.snapshot_name
    if name is None or is_token(name) or not name.startswith("arn:"):
        return
    if scope.service.serverless:
        _check_snapshot(problems, name, region)
    else:
        reason = "a store that is not serverless is restored by the name of a snapshot, not by its ARN"
        problems.add(_RESTORE, name, reason, f"write Restore.from_snapshot({name.split(':')[-1].split('/')[-1]!r})")


def _check_snapshot(problems: Problems, arn: str, region: str) -> None:
    parts = arn.split(":")
    service, its_region = (*parts[2:4], "", "")[:2]
    if service != "elasticache":
        reason = "a serverless cache is restored from a snapshot of ElastiCache"
        problems.add(_RESTORE, arn, reason, 'write Restore.from_snapshot("arn:aws:elasticache:...")')
    elif are_different(region, its_region):
        reason = f"the snapshot is in {its_region}, and the store in {region}"
        problems.add(_RESTORE, arn, reason, "export it to S3 in that Region, and use Restore.from_s3")
    _check_partition(problems, arn, region)


def _check_partition(problems: Problems, arn: str, region: str) -> None:
    """The ARNs of China, of the GovCloud and of all other Regions begin differently."""
    found = None if is_token(region) or is_token(arn) else _REGION.fullmatch(region)
    if found is None:
        return
    own, other = _PARTITIONS.get(found[1], "aws"), arn.split(":")[1]
    if found[1].startswith("us-iso") and found[1] not in _PARTITIONS:
        return
    if own != other:
        hint = f'an ARN of that Region begins with "arn:{own}:"'
        problems.add(_RESTORE, arn, f"it is an ARN of the partition {other}, and the store is in {region}", hint)
