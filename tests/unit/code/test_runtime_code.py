"""`runtime_code`: a function's folder, redis-py and the run-time package, together at synth."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from cdk_redis import ConfigurationError, runtime_code

HANDLER = "from cdk_redis_runtime import connect\n\ndef handler(event, context):\n    return connect.__module__\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A function's folder with a module, data in a folder, and what Python left there."""
    folder = tmp_path / "function"
    (folder / "templates").mkdir(parents=True)
    (folder / "handler.py").write_text(HANDLER)
    (folder / "templates" / "redis.conf").write_text("data")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "handler.cpython-311.pyc").write_bytes(b"")
    return folder


def asset_of(code: lambda_.Code, app: cdk.App) -> Path:
    stack = cdk.Stack(app, "Stack")
    lambda_.Function(stack, "It", runtime=lambda_.Runtime.PYTHON_3_14, handler="handler.handler", code=code)
    (asset,) = Path(app.outdir).glob("asset.*")
    return asset


def test_the_asset_has_the_folder_the_client_and_nothing_else(folder: Path) -> None:
    asset = asset_of(runtime_code(folder), cdk.App())

    top = {path.name for path in asset.iterdir() if not path.name.startswith("redis-")}
    assert top == {"handler.py", "templates", "redis", "cdk_redis_runtime"}
    assert (asset / "templates" / "redis.conf").read_text() == "data"
    assert not [*asset.rglob("__pycache__")]


def test_the_handler_runs_with_what_is_in_the_asset(folder: Path) -> None:
    asset = asset_of(runtime_code(str(folder)), cdk.App())
    # Without the packages of this environment, like Lambda. Redis-py needs one more on the oldest Python.
    program = "import handler, redis; print(handler.handler(None, None), redis.__file__)"
    options = [] if sys.version_info < (3, 11, 3) else ["-S"]

    run = subprocess.run(
        [sys.executable, *options, "-B", "-c", program], cwd=asset, capture_output=True, text=True, check=False
    )

    assert run.stdout.split() == ["cdk_redis_runtime._client.connect", str(asset / "redis" / "__init__.py")], run.stderr


def test_the_same_folder_has_the_same_asset_and_another_one_has_not(folder: Path) -> None:
    first = asset_of(runtime_code(folder), cdk.App())
    again = asset_of(runtime_code(folder), cdk.App())
    (folder / "handler.py").write_text(f"{HANDLER}\n")
    changed = asset_of(runtime_code(folder), cdk.App())

    assert first.name == again.name
    assert first.name != changed.name


def test_functions_of_a_stack_can_share_the_code(folder: Path) -> None:
    app = cdk.App()
    stack = cdk.Stack(app, "Stack")
    code = runtime_code(folder)
    for name in ("One", "Two"):
        lambda_.Function(stack, name, runtime=lambda_.Runtime.PYTHON_3_14, handler="handler.handler", code=code)

    assert len([*Path(app.synth().directory).glob("asset.*")]) == 1


def test_a_relative_folder_starts_at_the_working_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)

    assert (asset_of(runtime_code("function"), cdk.App()) / "handler.py").is_file()


def _link(folder: Path, name: str, target: str) -> None:
    (folder / name).symlink_to(target)


NOT_ONLY_CODE = "so it is not the folder of a function only; put the code of the function into a folder of its own"
NOT_INSTALLED = (
    "and its requirements are not installed; remove the file, or package the function with a tool that installs it, "
    "such as PythonFunction of aws-lambda-python-alpha, and add a RedisClientLayer"
)
REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "requirements.txt": (
        lambda it: (it / "requirements.txt").write_text(""),
        f"it has requirements.txt, {NOT_INSTALLED}",
    ),
    "pyproject.toml": (lambda it: (it / "pyproject.toml").write_text(""), f"it has pyproject.toml, {NOT_INSTALLED}"),
    "a module redis": (
        lambda it: (it / "redis.py").write_text(""),
        "Python would import redis.py instead of the package redis; rename it",
    ),
    "a compiled module": (
        lambda it: (it / "redis.cpython-314-aarch64-linux-gnu.so").write_text(""),
        "Python would import redis.cpython-314-aarch64-linux-gnu.so instead of the package redis; rename it",
    ),
    "another redis-py": (
        lambda it: (it / "redis").mkdir(),
        "Python would import redis instead of the package redis; remove or rename it: runtime_code adds the package",
    ),
    "another run-time package": (
        lambda it: (it / "cdk_redis_runtime").mkdir(),
        "Python would import cdk_redis_runtime instead of the package cdk_redis_runtime; remove or rename it: "
        "runtime_code adds the package",
    ),
    "an app": (lambda it: (it / "cdk.json").write_text("{}"), f"it has cdk.json, {NOT_ONLY_CODE}"),
    "an output folder": (lambda it: (it / "cdk.out").mkdir(), f"it has cdk.out, {NOT_ONLY_CODE}"),
    "no module": (
        lambda it: (it / "handler.py").unlink(),
        "it has no .py file; give the folder of the function's module",
    ),
    "a link to a folder": (
        lambda it: _link(it, "shared", ".."),
        "shared is a link to a folder; replace it with what belongs there",
    ),
    "a broken link": (
        lambda it: _link(it / "templates", "gone", "nowhere"),
        "templates/gone is a broken link; replace it with what belongs there",
    ),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_folder_that_would_not_work_is_refused(folder: Path, change: Callable[[Path], object], message: str) -> None:
    change(folder)

    with pytest.raises(ConfigurationError) as caught:
        runtime_code(folder)

    assert str(caught.value) == f"runtime_code: folder: got {str(folder)!r}, but {message}"


def test_a_folder_that_does_not_exist_is_refused_with_the_working_directory(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        runtime_code("functions/counter")

    assert str(caught.value) == (
        "runtime_code: folder: got 'functions/counter', but there is no such folder; "
        f"the working directory is {Path.cwd()}; write Path(__file__).with_name('counter')"
    )


def test_more_than_lambda_takes_is_refused(folder: Path) -> None:
    with (folder / "model.bin").open("wb") as file:
        file.truncate(260 * 2**20)  # takes no space on the disk

    with pytest.raises(ConfigurationError, match=r"it has 26\d MB, and a function has at most 250 MB of code"):
        runtime_code(folder)


def test_a_token_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="it is a path that is known at synth; write the path out"):
        runtime_code(cdk.Fn.ref("Folder"))


def test_a_linked_file_is_in_the_asset_with_its_content(folder: Path) -> None:
    _link(folder, "settings.json", "templates/redis.conf")

    asset = asset_of(runtime_code(folder), cdk.App())

    assert not (asset / "settings.json").is_symlink()
    assert (asset / "settings.json").read_text() == "data"
