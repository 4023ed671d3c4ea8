"""Objects in S3, which the services read and write for their snapshots."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

from ministack.services import s3


def bucket_region(bucket: str) -> str | None:
    """The Region of a bucket of this account; None without such a bucket."""
    return str(s3._notification_bucket_region(bucket)) if s3._buckets.get(bucket) is not None else None


def s3_object(bucket: str, key: str) -> bytes | None:
    """The content of an object; None without such an object."""
    return s3._get_object_data(bucket, key)


def put_s3_object(bucket: str, key: str, content: bytes) -> None:
    """Write an object.

    Raises:
        ValueError: S3 refuses it; the message has its response.
    """
    status, _, body = s3._put_object(bucket, key, content, {})
    if status >= 400:
        raise ValueError(body.decode())
