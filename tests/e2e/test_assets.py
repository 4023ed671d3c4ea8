"""The zip files of code that the CDK CLI uploads."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import pytest

from tests.e2e.support.deploys import Deploys


def _modes(deploys: Deploys, key: str) -> dict[str, str]:
    """The mode of each file in an uploaded zip file."""
    bucket = f"cdk-hnb659fds-assets-000000000000-{deploys.cloud.region}"
    body = deploys.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {info.filename: f"{info.external_attr >> 16 & 0o777:o}" for info in archive.infolist()}


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_uploaded_files_are_readable_for_lambda_despite_a_private_umask(
    deploys: Deploys, tmp_path: Path, engine: str
) -> None:
    before = os.umask(0o077)
    try:
        assembly = deploys.synthesize("single", tmp_path / "cdk.out", engine=engine, replicas="1")
        deploys.run("publish-assets", "--unstable=publish-assets", "--app", str(assembly))
    finally:
        os.umask(before)

    modes: dict[str, str] = {}
    for manifest in assembly.glob("*.assets.json"):
        for asset in json.loads(manifest.read_text())["files"].values():
            if asset["source"]["packaging"] == "zip":
                (destination,) = asset["destinations"].values()
                modes |= _modes(deploys, destination["objectKey"])

    assert modes["cdk_redis_runtime/smoke_lambda.py"] == "644"
    assert set(modes.values()) == {"644"}, {name: mode for name, mode in modes.items() if mode != "644"}
