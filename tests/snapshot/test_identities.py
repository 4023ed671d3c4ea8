"""Logical ids of resources with data, or that data depends on: a changed one replaces a store on the next deployment.

To accept an intended change: pytest tests/snapshot --snapshot-update, and list it under "Breaking" in CHANGELOG.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

STATEFUL = re.compile(
    r"AWS::(EC2::(VPC|Subnet|SecurityGroup)|KMS::Key|SecretsManager::Secret|(ElastiCache|MemoryDB)::\w+)$"
)


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_logical_ids_of_stateful_resources(
    environment: str, templates: Callable[[str], dict[str, Path]], snapshot: SnapshotAssertion
) -> None:
    identities = {
        stack: {
            logical_id: resource["Type"]
            for logical_id, resource in json.loads(template.read_text())["Resources"].items()
            if STATEFUL.match(resource["Type"])
        }
        for stack, template in templates(environment).items()
    }
    assert identities == snapshot(extension_class=JSONSnapshotExtension)
