"""The pages for other languages are complete, and the documented contract is that of the code."""

from __future__ import annotations

import re
from pathlib import Path

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.reading import record_field
from cdk_redis_runtime._client.record import FIELDS, ConnectionRecord
from tests.runtime.support.documented_programs import PAGES, programs_of

CONTRACT = (PAGES.parent / "connection.md").read_text()


def rows() -> list[tuple[str, str]]:
    """Variable and field of each row of the table; one of the two may be empty."""
    cells = [[cell.strip(" `") for cell in line.split("|")[1:3]] for line in CONTRACT.splitlines() if line[:2] == "| "]
    return [(variable, field) for variable, field in cells if variable not in ("Variable", "---")]


def test_every_variable_of_a_binding_is_documented_once() -> None:
    assert sorted(variable for variable, _ in rows() if variable) == sorted(env.BINDING_VARIABLES)


def test_every_field_of_the_record_is_documented_once() -> None:
    assert sorted(field for _, field in rows() if field) == sorted(FIELDS)


def test_each_variable_is_beside_its_field() -> None:
    for variable, field in rows():
        if variable and field:
            assert field == record_field(variable)
        if variable and not field:
            assert record_field(variable) not in FIELDS


def test_documented_record_is_one() -> None:
    (text,) = re.findall(r"^<!-- record -->\n```json\n(.*)\n```$", CONTRACT, re.MULTILINE)
    record = ConnectionRecord.from_json(text)
    assert record.to_json() == text
    assert (record.connection.store, record.connection.user) == ("orders", "orders-app")


def test_the_index_has_every_page() -> None:
    index = (PAGES / "README.md").read_text()
    assert set(re.findall(r"\((\S+\.md)\)", index)) - {"../connection.md"} == {
        path.name for path in PAGES.glob("*.md") if path.name != "README.md"
    }


def test_a_page_says_which_of_its_programs_no_test_runs() -> None:
    tested = Path(__file__).with_name("test_other_clients.py").read_text()
    for page in PAGES.glob("*.md"):
        text = page.read_text()
        assert ("not run by a test" in text) == ("o test runs" in text.replace("\n", " ")), page.name
        assert not programs_of(page.name) or f'"{page.name}"' in tested or "No test runs this code" in text, page.name


def test_links_of_the_pages_lead_to_files() -> None:
    for page in [*PAGES.glob("*.md"), PAGES.parent / "connection.md"]:
        for target in re.findall(r"\]\((?!https:)([^)#]+)(?:#[\w-]+)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
