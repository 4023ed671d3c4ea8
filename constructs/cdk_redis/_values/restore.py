"""Restore: the snapshot or files that a new store is created from.

Example:
    >>> Restore.from_snapshot("orders-2026-01-31").snapshot_name
    'orders-2026-01-31'
    >>> Restore.from_s3("arn:aws:s3:::backups/orders.rdb").object_arns
    ('arn:aws:s3:::backups/orders.rdb',)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from cdk_redis._core.errors import Problems
from cdk_redis._core.tokens import is_token

# Names of automatic snapshots contain dots. ARNs, which serverless caches need, contain colons.
_SNAPSHOT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9.:_-]{0,254}")
# Buckets that were created in us-east-1 before March 2018 can have 3 to 255 upper-case and lower-case letters, digits,
# dots, hyphens and underscores. The services split lists at commas.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_OBJECT_ARN = re.compile(r"arn:aws[a-z-]*:s3:::[A-Za-z0-9._-]{3,255}/[^,]+")


@dataclass(frozen=True)
class Restore:
    """The data that a store is created with. Use `from_snapshot` or `from_s3`.

    AWS reads the data only when it creates the store. Adding or changing this later **replaces** the store by a new one
    that has the data of the snapshot and no newer data. Do not change it after the restore, and remove it only together
    with the store.

    Attributes:
        snapshot_name: Name of the snapshot; None for files in S3.
        object_arns: ARNs of the files in S3; empty for a snapshot.
    """

    snapshot_name: str | None = None
    object_arns: tuple[str, ...] = ()

    TEXT_EXAMPLE: ClassVar[str] = "arn:aws:s3:::bucket/file.rdb"

    def __post_init__(self) -> None:
        """Check both fields; tokens pass."""
        problems = Problems("Restore")
        arns: object = self.object_arns
        if not isinstance(arns, (tuple, list)):
            problems.note(f"object_arns: got a value of type {type(arns).__name__}, but it must be a tuple of ARNs")
            problems.raise_if_any()
        arns = tuple(self.object_arns)
        object.__setattr__(self, "object_arns", arns)
        if (self.snapshot_name is None) is (not self.object_arns):
            problems.add(
                "snapshot_name", self.snapshot_name, "a store is restored from one snapshot or from files in S3"
            )
        if self.snapshot_name is not None and not _matches(_SNAPSHOT_NAME, self.snapshot_name):
            problems.add(
                "snapshot_name",
                self.snapshot_name,
                "a snapshot's name has 1 to 255 letters, digits, hyphens, dots and colons and begins with a letter",
            )
        for arn in arns:
            if not _matches(_OBJECT_ARN, arn):
                problems.add("object_arns", arn, 'a file reads "arn:aws:s3:::bucket/file.rdb", with no comma in it')
            elif arn.endswith("/"):
                problems.add("object_arns", arn, "it is a folder, and a store is restored from files")
        for arn in dict.fromkeys(arn for arn in arns if arns.count(arn) > 1):
            problems.add("object_arns", arn, "it is in the list twice", "list each file once")
        problems.raise_if_any()

    @classmethod
    def from_text(cls, text: str) -> Restore:
        """Restore a snapshot, or one file in S3.

        Args:
            text: Name of the snapshot, or ARN of the file, ``"arn:aws:s3:::bucket/file.rdb"``. A token counts as the
                name of a snapshot.

        Raises:
            ConfigurationError: If the text is neither.
        """
        is_file = isinstance(text, str) and not is_token(text) and re.match(r"arn:aws[a-z-]*:s3:", text)
        return cls.from_s3(text) if is_file else cls.from_snapshot(text)

    @classmethod
    def from_snapshot(cls, name: str) -> Restore:
        """Restore a snapshot of the same service, account and Region.

        Args:
            name: Name of an automatic or manual snapshot.

        Raises:
            ConfigurationError: If the name is invalid.
        """
        return cls(snapshot_name=name)

    @classmethod
    def from_s3(cls, *object_arns: str) -> Restore:
        """Restore RDB files in S3.

        The bucket must be in the store's Region, and the bucket policy or the access control lists of the files must
        allow the service to read them.
        (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/backups-seeding-redis.html)

        Args:
            object_arns: One file or more, ``"arn:aws:s3:::bucket/file.rdb"``.

        Raises:
            ConfigurationError: If there is no ARN, or one is not the ARN of an S3 object.
        """
        return cls(object_arns=tuple(object_arns))


def _matches(form: re.Pattern[str], given: object) -> bool:
    return is_token(given) or (isinstance(given, str) and form.fullmatch(given) is not None)
