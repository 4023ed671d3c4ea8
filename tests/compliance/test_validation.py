"""The app passes the validation of aws-cdk-lib, whose findings are errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BAD_APP = """
import json, pathlib
import aws_cdk as cdk
from aws_cdk import aws_elasticache as elasticache

context = json.loads(pathlib.Path("cdk.json").read_text())["context"]
stack = cdk.Stack(cdk.App(context=context), "Bad")
elasticache.CfnReplicationGroup(stack, "Store", replication_group_description="no TLS", engine="valkey")
stack.node.root.synth()
"""


def synthesize(repository: Path, outdir: Path, *arguments: str, env: str = "dev") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "CDK_VALIDATION"}
    environment |= {"CDK_OUTDIR": str(outdir), "CDK_CONTEXT_JSON": json.dumps({"env": env})}
    return subprocess.run(
        [sys.executable, *arguments], cwd=repository, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_the_app_has_no_findings(repository: Path, tmp_path: Path, env: str) -> None:
    synth = synthesize(repository, tmp_path, "app.py", env=env)
    assert (synth.returncode, synth.stdout, synth.stderr) == (0, "", "")


def test_a_finding_fails_the_synth(repository: Path, tmp_path: Path) -> None:
    synth = synthesize(repository, tmp_path, "-c", BAD_APP)
    assert synth.returncode != 0
    assert "TransitEncryptionEnabled" in synth.stdout + synth.stderr
