"""The programs that the pages in docs/clients/ show: a test runs what a reader copies."""

from __future__ import annotations

import re
from pathlib import Path

PAGES = Path(__file__).resolve().parents[3] / "docs" / "clients"
_BLOCK = re.compile(r"^<!-- file: (\S+?)(?:, not run by a test)? -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def programs_of(page: str) -> dict[str, str]:
    """The code blocks of a page that name a file, by that name."""
    return dict(_BLOCK.findall((PAGES / page).read_text()))


def write_programs(page: str, folder: Path) -> Path:
    """Write the programs of a page into a folder, which is created.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, code in programs_of(page).items():
        (folder / name).write_text(code)
    return folder
