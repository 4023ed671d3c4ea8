"""Workspaces in a shared temporary folder are safe from the directories and links of other users."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cdk_redis_local import LocalCloud, LocalCloudError, Workspace
from cdk_redis_local._core.keeper import MARK

_NOBODY = 65534
_NAME = "cdk-redis-local-evil"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder like /tmp: all users may write to it, but only owners may remove their files."""
    for folder in reversed((tmp_path, *tmp_path.parents)):
        # pytest's folders are private, so other users could not reach this one.
        if folder.is_relative_to(_pytest_root(tmp_path)):
            folder.chmod(0o711)
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def _pytest_root(path: Path) -> Path:
    return next(folder for folder in path.parents if folder.name.startswith("pytest-of-"))


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A directory that looks like an abandoned workspace, except for its name."""
    directory = tmp_path / "victim"
    directory.mkdir(mode=0o700)
    (directory / "lock").touch()
    (directory / "precious").write_text("kept")
    return directory


@pytest.fixture
def bystanders(victim: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two processes that a start must not end: one runs in the victim, one has its mark."""
    processes = [
        subprocess.Popen(["sleep", "60"], cwd=victim),
        subprocess.Popen(["sleep", "60"], cwd="/", env={**os.environ, MARK: str(victim)}),
    ]
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def _as_nobody(*command: str) -> None:
    subprocess.run(command, check=True, cwd="/", user=_NOBODY, group=_NOBODY, extra_groups=[])


def _link_of_nobody(shared: Path, victim: Path) -> None:
    _as_nobody("ln", "-s", str(victim), str(shared / _NAME))


def _link_of_this_user(shared: Path, victim: Path) -> None:
    (shared / _NAME).symlink_to(victim)


def _directory_of_nobody(shared: Path, victim: Path) -> None:
    _as_nobody("mkdir", "-m", "700", str(shared / _NAME))
    _as_nobody("touch", str(shared / _NAME / "lock"))
    _as_nobody("ln", "-s", str(victim), str(shared / _NAME / "link"))


def _directory_open_to_all(shared: Path, victim: Path) -> None:
    (shared / _NAME).mkdir()
    (shared / _NAME).chmod(0o777)
    (shared / _NAME / "lock").touch()
    (shared / _NAME / "link").symlink_to(victim)


def _file(shared: Path, victim: Path) -> None:
    (shared / _NAME).write_text(str(victim))


@pytest.mark.parametrize(
    "plant",
    [
        pytest.param(_link_of_nobody, marks=as_root),
        _link_of_this_user,
        pytest.param(_directory_of_nobody, marks=as_root),
        _directory_open_to_all,
        _file,
    ],
)
def test_a_start_ignores_a_path_that_is_not_a_workspace_of_this_user(
    plant: Callable[[Path, Path], None], shared: Path, victim: Path, bystanders: list[subprocess.Popen[bytes]]
) -> None:
    plant(shared, victim)
    before = os.lstat(shared / _NAME)
    with Workspace():
        pass
    assert (victim / "precious").read_text() == "kept"
    assert (victim / "lock").exists()
    assert [process.poll() for process in bystanders] == [None, None]
    assert os.path.samestat(before, os.lstat(shared / _NAME))


def test_links_in_an_abandoned_workspace_are_removed_but_not_followed(
    shared: Path, victim: Path, bystanders: list[subprocess.Popen[bytes]]
) -> None:
    abandoned = shared / "cdk-redis-local-abandoned"
    inner = abandoned / "a" / "b"
    inner.mkdir(parents=True)
    abandoned.chmod(0o700)
    (abandoned / "lock").touch()
    (abandoned / "link").symlink_to(victim)
    (inner / "link").symlink_to(victim / "precious")
    (inner / "file").touch()
    (inner / "file").chmod(0)
    inner.chmod(0o500)
    with Workspace():
        assert not abandoned.exists()
    assert (victim / "precious").read_text() == "kept"
    assert [process.poll() for process in bystanders] == [None, None]


@as_root
def test_a_process_of_another_user_with_the_workspace_s_mark_is_not_ended(shared: Path) -> None:
    with Workspace() as workspace:
        other = subprocess.Popen(
            ["sleep", "60"], cwd="/", env={MARK: str(workspace.path)}, user=_NOBODY, group=_NOBODY, extra_groups=[]
        )
    assert other.poll() is None
    other.kill()
    other.wait()


@pytest.mark.parametrize("start", [Workspace, LocalCloud])
def test_another_operating_system_is_refused_in_one_line(
    start: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    with pytest.raises(
        LocalCloudError, match=r"^the local cloud needs Linux, and this is Darwin: run it in a container"
    ):
        start()
