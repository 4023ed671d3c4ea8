"""The files of redis-py and of the run-time package in an asset, and the hash of an asset."""

from __future__ import annotations

import gc
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from cdk_redis._code import package
from cdk_redis._code.package import PackageFile, client_files, code_of


@pytest.fixture
def private_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def asset_of(code: lambda_.Code, app: cdk.App) -> Path:
    """The folder of the asset in the cloud assembly; its name has the hash."""
    stack = cdk.Stack(app, "Stack")
    lambda_.Function(stack, "It", runtime=lambda_.Runtime.PYTHON_3_14, handler="it.handler", code=code)
    (asset,) = Path(app.outdir).glob("asset.*")
    return asset


def hash_of(*files: PackageFile) -> str:
    return asset_of(code_of(files), cdk.App()).name


def test_the_client_is_redis_py_and_the_run_time_package() -> None:
    paths = [file.path for file in client_files()]

    assert {path.parts[0].split("-")[0] for path in paths} == {"cdk_redis_runtime", "redis"}
    assert PurePosixPath("cdk_redis_runtime", "smoke_lambda.py") in paths
    assert [path.name for path in paths if path.suffix != ".py"] == ["METADATA"]
    assert [file.path for file in client_files("python")] == [PurePosixPath("python", path) for path in paths]


@pytest.mark.usefixtures("private_umask")
def test_all_users_can_read_the_code_with_any_umask(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("")
    (tmp_path / "tool").chmod(0o700)
    program = PackageFile(PurePosixPath("bin/tool"), tmp_path / "tool", package.PROGRAM_MODE)

    asset = asset_of(code_of([*client_files(), program]), cdk.App())

    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in asset.rglob("*") if path.name != "tool"}
    assert modes == {(True, 0o755), (False, 0o644)}
    assert stat.S_IMODE((asset / "bin/tool").stat().st_mode) == 0o755


def test_the_temporary_folder_is_deleted_when_the_code_is_not_used_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = code_of(client_files())
    assert len([*tmp_path.glob("cdk-redis-*")]) == 1

    del code
    gc.collect()

    assert [*tmp_path.glob("cdk-redis-*")] == []


def test_the_hash_depends_on_paths_contents_and_modes_only(tmp_path: Path) -> None:
    for name, text in {"a": "one", "b": "two", "copy of a": "one"}.items():
        (tmp_path / name).write_text(text)
    os.utime(tmp_path / "copy of a", (0, 0))
    (tmp_path / "copy of a").chmod(0o600)
    first = PackageFile(PurePosixPath("redis/client.py"), tmp_path / "a")
    second = PackageFile(PurePosixPath("redis/other.py"), tmp_path / "b")

    same = [
        (first, second),
        (second, first),
        (PackageFile(first.path, tmp_path / "copy of a"), second),
    ]
    others = [
        (first,),
        (PackageFile(first.path, tmp_path / "b"), second),
        (PackageFile(PurePosixPath("redis/moved.py"), first.source), second),
        (PackageFile(first.path, first.source, package.PROGRAM_MODE), second),
    ]

    assert len({hash_of(*files) for files in same}) == 1
    assert len({hash_of(*files) for files in [same[0], *others]}) == 1 + len(others)
