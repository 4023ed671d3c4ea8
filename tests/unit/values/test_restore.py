"""Data that a store can be restored from."""

from __future__ import annotations

import aws_cdk as cdk
import pytest

from cdk_redis._core.errors import ConfigurationError
from cdk_redis._values.restore import Restore


def test_a_restore_has_a_snapshot_or_files_in_s3() -> None:
    assert Restore.from_snapshot("automatic.orders-2026-01-31-03-00") == Restore("automatic.orders-2026-01-31-03-00")
    one, two = "arn:aws:s3:::backups/one.rdb", "arn:aws-cn:s3:::backups/folder/two.rdb"
    assert Restore.from_s3(one, two) == Restore(object_arns=(one, two))


@pytest.mark.parametrize(
    "arn",
    [
        # From AWS's documentation of SnapshotArns.
        "arn:aws:s3:::my_bucket/snapshot1.rdb",
        "arn:aws:s3:::MyBackups/Orders.rdb",
        "arn:aws:s3:::my.bucket-1/folder/orders 1.rdb",
        f"arn:aws:s3:::{'b' * 255}/orders.rdb",
    ],
)
def test_a_bucket_name_can_have_upper_case_letters_and_underscores(arn: str) -> None:
    assert Restore.from_s3(arn).object_arns == (arn,)
    assert Restore.from_text(arn).object_arns == (arn,)


def test_tokens_pass() -> None:
    stack = cdk.Stack()
    token = cdk.CfnParameter(stack, "Snapshot").value_as_string
    assert Restore.from_snapshot(token).snapshot_name == token
    assert Restore.from_s3(f"arn:aws:s3:::{token}/file.rdb").object_arns == (f"arn:aws:s3:::{token}/file.rdb",)


_NAME = "a snapshot's name has 1 to 255 letters, digits, hyphens, dots and colons and begins with a letter"
_ONE = "a store is restored from one snapshot or from files in S3"
_ARN = 'a file reads "arn:aws:s3:::bucket/file.rdb", with no comma in it'
WRONG = {
    "an empty name": (lambda: Restore.from_snapshot(""), f"snapshot_name: got '', but {_NAME}"),
    "a name with a space": (lambda: Restore.from_snapshot("a b"), f"snapshot_name: got 'a b', but {_NAME}"),
    "a number": (lambda: Restore.from_snapshot(7), f"snapshot_name: got 7, but {_NAME}"),
    "no file": (lambda: Restore.from_s3(), f"snapshot_name: got None, but {_ONE}"),
    "a URL": (
        lambda: Restore.from_s3("s3://backups/one.rdb"),
        f"object_arns: got 's3://backups/one.rdb', but {_ARN}",
    ),
    "a bucket": (
        lambda: Restore.from_s3("arn:aws:s3:::backups"),
        f"object_arns: got 'arn:aws:s3:::backups', but {_ARN}",
    ),
    "a comma": (
        lambda: Restore.from_s3("arn:aws:s3:::backups/a,b.rdb"),
        f"object_arns: got 'arn:aws:s3:::backups/a,b.rdb', but {_ARN}",
    ),
    "both": (
        lambda: Restore("orders", ("arn:aws:s3:::backups/one.rdb",)),
        f"snapshot_name: got 'orders', but {_ONE}",
    ),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG.keys())
def test_an_invalid_restore_is_refused(make: object, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()

    assert str(caught.value) == f"Restore: {message}"
