"""The asset of the smoke test's function."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cdk_redis._smoke_test import asset
from cdk_redis._smoke_test.asset import smoke_test_code


@pytest.fixture
def private_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def _hash() -> str:
    with smoke_test_code() as (_, code_hash):
        return code_hash


def test_the_asset_contains_only_redis_py_and_the_run_time_package() -> None:
    with smoke_test_code() as (folder, _):
        assert {path.name.split("-")[0] for path in folder.iterdir()} == {"cdk_redis_runtime", "redis"}
        assert not [path for path in folder.rglob("*") if path.suffix == ".pyc"]
        assert (folder / "cdk_redis_runtime" / "smoke_lambda.py").is_file()
        assert [path.name for path in folder.glob("redis-*.dist-info/*")] == ["METADATA"]
    assert not folder.exists()


@pytest.mark.usefixtures("private_umask")
def test_all_users_can_read_the_code_with_any_umask() -> None:
    with smoke_test_code() as (folder, _):
        modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in folder.rglob("*")}
        assert modes == {(True, 0o755), (False, 0o644)}


def test_the_same_code_has_the_same_hash() -> None:
    assert _hash() == _hash()


@pytest.mark.parametrize(
    ("changed", "content"),
    [("redis/client.py", "b"), ("redis/moved.py", "a"), ("redis/client.py", "")],
    ids=["content", "name", "size"],
)
def test_the_hash_changes_when_a_file_changes(
    changed: str, content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source.py"
    hashes: list[str] = []
    for name, text in (("redis/client.py", "a"), (changed, content)):
        source.write_text(text)
        monkeypatch.setattr(asset, "_files", lambda name=name: [(Path(name), source)])
        hashes.append(_hash())

    assert hashes[0] != hashes[1]


def test_the_hash_changes_when_a_mode_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = _hash()
    monkeypatch.setattr(asset, "_FILE_MODE", 0o600)

    assert _hash() != before
