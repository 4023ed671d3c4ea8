"""cdk-nag, checkov, cfn-lint and aws-cdk-lib find nothing in production and in the examples that is not acknowledged.

One run of the scanners gives all findings, the acknowledged ones included. What is left if one acknowledgement is taken
away follows from these sets.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compliance.support.compliance_page import PAGE, accepted, page, presets, rows_of
from tests.compliance.support.findings import Scan, accepted_for_cdk_nag_2
from tests.compliance.support.linting import lint_errors
from tests.compliance.support.scanners import scan
from tests.compliance.support.switched_off import ROWS

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

OFF = "switched-off"


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scan, Path]:
    return scan(tmp_path_factory.mktemp("scanners"))


@pytest.fixture(scope="module")
def production(scanned: tuple[Scan, Path]) -> Scan:
    """The app and the examples."""
    found = scanned[0]
    return Scan(*({one for one in part if one.app != OFF} for part in found))  # pyright: ignore


def test_nothing_is_reported(production: Scan) -> None:
    assert sorted(production.reported) == []
    assert production.unexplained() == []
    assert len(production.suppressed) > 1000


def test_all_scanners_have_seen_every_app(production: Scan, repository: Path) -> None:
    examples = [*(repository / "examples").glob("*.py"), *(repository / "examples").glob("*/app.py")]
    assert len({one.app for one in production.suppressed}) == len(examples) + 1
    packs = ("AwsSolutions", "HIPAA.Security", "NIST.800.53.R5", "PCI.DSS.321", "Serverless", "CKV")
    assert all(any(one.rule.startswith(pack) for one in production.suppressed) for pack in packs)


def test_cfn_lint_has_no_errors(scanned: tuple[Scan, Path]) -> None:
    templates = [path for path in sorted(scanned[1].glob("*/*.template.json")) if path.parent.name != OFF]
    found = {f"{path.parent.name}/{path.name}": lint_errors(path.read_text()) for path in templates}
    assert len(found) > 25
    assert {name: errors for name, errors in found.items() if errors} == {}


@pytest.mark.parametrize("row", rows_of(PAGE.read_text()), ids=lambda row: f"{row.rule} {row.reason}")
def test_without_one_acknowledgement_there_is_a_finding(row: accepted, production: Scan) -> None:
    taken = {one for one in production.acknowledgements if (one.rule, one.reason) == row}
    assert {one.rule for one in production.unexplained(without=taken)} == {row.rule}


def test_every_acknowledgement_has_a_finding(production: Scan) -> None:
    used = {
        (one.rule, one.app, one.reason)
        for one in production.acknowledgements
        if any(one.explains(found) for found in production.suppressed)
    }
    assert {one for one in production.acknowledgements if (one.rule, one.app, one.reason) not in used} == set()


def test_cdk_nag_2_finds_every_acknowledgement_in_the_template(scanned: tuple[Scan, Path]) -> None:
    found, out = scanned
    of_nag = {(one.app, one.path, one.rule) for one in found.suppressed if "-" in one.rule}
    assert of_nag - accepted_for_cdk_nag_2(out) == set()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_without_one_safe_default_there_is_a_finding(row: object, scanned: tuple[Scan, Path]) -> None:
    name, rule = row.name, row.rule  # pyright: ignore
    found = {one.rule for one in scanned[0].reported if one.app == OFF and one.path.split("/")[0] == name}
    assert rule in found if rule else found == set()


def test_docs_compliance_md_is_up_to_date(production: Scan) -> None:
    assert PAGE.read_text() == page(production)
    assert presets() in PAGE.read_text()
