"""No change of the library replaces a store of the app that is deployed, judged by the replacement guard.

The folder ``deployed`` has the resources with data of each stack. To accept an intended replacement:
pytest tests/snapshot --snapshot-update, and list it under "Breaking" in CHANGELOG.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cdk_redis import assert_no_replacement
from cdk_redis._operations.stateful_types import stateful_types

DEPLOYED = Path(__file__).with_name("deployed")


def write(templates: dict[str, Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for stack, file in templates.items():
        resources: dict[str, Any] = json.loads(file.read_text())["Resources"]
        stateful = {name: one for name, one in resources.items() if one["Type"] in stateful_types()}
        if stateful:
            (folder / f"{stack}.json").write_text(json.dumps({"Resources": stateful}, indent=1, sort_keys=True) + "\n")


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_no_resource_with_data_is_replaced(
    environment: str, templates: Callable[[str], dict[str, Path]], pytestconfig: pytest.Config
) -> None:
    current = templates(environment)
    if pytestconfig.getoption("--snapshot-update"):
        write(current, DEPLOYED / environment)

    deployed = sorted((DEPLOYED / environment).iterdir())

    assert deployed
    for file in deployed:
        assert_no_replacement(file, current[file.stem])
