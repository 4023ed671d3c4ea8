"""Restoring: what a new store is filled with when it is made.

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

# Automatic snapshots have dots in their names, and shared ones colons.
_SNAPSHOT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9.:_-]{0,254}")
# Buckets made in us-east-1 before March 2018 have up to 255 letters of either case, digits, dots, hyphens and
# underscores. The services split lists at commas.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_OBJECT_ARN = re.compile(r"arn:aws[a-z-]*:s3:::[A-Za-z0-9._-]{3,255}/[^,]+")


@dataclass(frozen=True)
class Restore:
    """The data that a store begins with. Make one with `from_snapshot` or `from_s3`.

    A store is filled once, when it is made: changing or adding this later **replaces** the store, by one that holds
    the snapshot's data and nothing newer. Leave it as it is after the restore, or remove it together with
    the store.

    Attributes:
        snapshot_name: Name of the snapshot; None for files in S3.
        object_arns: ARNs of the files in S3; none for a snapshot.
    """

    snapshot_name: str | None = None
    object_arns: tuple[str, ...] = ()

    TEXT_EXAMPLE: ClassVar[str] = "arn:aws:s3:::bucket/file.rdb"

    def __post_init__(self) -> None:
        """Check both fields; tokens pass."""
        problems = Problems("Restore")
        arns: object = self.object_arns
        if not isinstance(arns, (tuple, list)):
            problems.note(f"object_arns: got a value of type {type(arns).__name__}, but it is a tuple of ARNs")
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
        problems.raise_if_any()

    @classmethod
    def from_text(cls, text: str) -> Restore:
        """Begin with the data of a snapshot, or of one file in S3.

        Args:
            text: Name of the snapshot, or ARN of the file, ``"arn:aws:s3:::bucket/file.rdb"``. A token is taken for
                the name of a snapshot.

        Raises:
            ConfigurationError: If it is neither.
        """
        is_file = isinstance(text, str) and not is_token(text) and re.match(r"arn:aws[a-z-]*:s3:", text)
        return cls.from_s3(text) if is_file else cls.from_snapshot(text)

    @classmethod
    def from_snapshot(cls, name: str) -> Restore:
        """Begin with the data of a snapshot of the same service, account and Region.

        Args:
            name: Name of the snapshot, automatic or taken by hand.

        Raises:
            ConfigurationError: If no snapshot can have that name.
        """
        return cls(snapshot_name=name)

    @classmethod
    def from_s3(cls, *object_arns: str) -> Restore:
        """Begin with the data of RDB files in S3, which the service must be allowed to read.

        The bucket is in the store's Region, and its policy or the files' lists of access let the service in.
        (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/backups-seeding-redis.html)

        Args:
            object_arns: One file or more, ``"arn:aws:s3:::bucket/file.rdb"``.

        Raises:
            ConfigurationError: If no ARN is given, or one is not that of an object in S3.
        """
        return cls(object_arns=tuple(object_arns))


def _matches(form: re.Pattern[str], given: object) -> bool:
    return is_token(given) or (isinstance(given, str) and form.fullmatch(given) is not None)
