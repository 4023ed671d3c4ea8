"""A replication group of L1 constructs becomes one of this library, with its data."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdk_redis import assert_no_replacement
from tests.e2e.support.deploys import Deploys, verdicts

TEMPLATE = "Adoption.template.json"


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_an_adopted_store_keeps_its_data_and_passes_the_smoke_test(
    deploys: Deploys, engine: str, tmp_path: Path
) -> None:
    before = deploys.synthesize("adoption", tmp_path / "before", engine=engine)
    deployed = before / TEMPLATE
    after = deploys.synthesize("adoption", tmp_path / "after", engine=engine, deployed=str(deployed))
    assert_no_replacement(deployed, after / TEMPLATE)

    made = deploys.deploy(before, "Adoption")
    password = deploys.password(made["Secret"])
    deploys.connect(made["Port"], "default", password).set("order:1", "a book")
    adopted = deploys.deploy(after, "Adoption")

    assert adopted["Port"] == made["Port"]
    assert deploys.connect(adopted["Port"], "default", password).get("order:1") == "a book"
    assert set(verdicts(deploys.reports()[adopted["Name"]]).values()) <= {"passed", "skipped"}
