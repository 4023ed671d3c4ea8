"""``cdk-redis guard``: compares assemblies, files and git revisions, and says by its exit code what it found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cdk_redis._operations.guard_command import main

# An app without the CDK: the guard needs only what the app writes.
APP = """
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"])
out.mkdir()
context = json.loads(os.environ["CDK_CONTEXT_JSON"])
store = {"Type": "AWS::MemoryDB::Cluster", "Properties": {"Port": context["port"]}}
(out / "Data.template.json").write_text(json.dumps({"Resources": {"Store": store}}))
artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Data.template.json"}}
(out / "manifest.json").write_text(json.dumps({"artifacts": {"Data": artifact}}))
"""


def set_port(folder: Path, port: int) -> None:
    (folder / "cdk.json").write_text(json.dumps({"app": "python3 app.py", "context": {"port": port}}))


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app in a folder of a git repository, committed with the port 6379."""
    folder = tmp_path / "repository" / "infra"
    folder.mkdir(parents=True)
    (folder / "app.py").write_text(APP)
    set_port(folder, 6379)
    monkeypatch.chdir(folder)
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "init", "--quiet", ".."], check=True)
    subprocess.run(["git", "add", "."], check=True)
    subprocess.run(["git", *identity, "commit", "--quiet", "--message", "The store"], check=True)
    return folder


def test_a_replacement_since_a_revision_is_exit_code_1(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_port(app, 6380)

    assert main(["HEAD"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "  replacement: Store (AWS::MemoryDB::Cluster, Store in Data)",
        "    a change of Port replaces the resource",
        "    data: lost",
        "    to avoid it: take the change back, or define a second store and move the data",
        "1 replaced or removed, 0 other changes",
    ]
    assert sorted(path.name for path in app.iterdir()) == ["app.py", "cdk.json"]


def test_an_allowed_replacement_is_exit_code_0(app: Path) -> None:
    set_port(app, 6380)

    assert main(["HEAD", ".", "--allow", "Store"]) == 0


def test_no_replacement_is_exit_code_0(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["HEAD", "HEAD"]) == 0
    assert capsys.readouterr().out == "0 replaced or removed, 0 other changes\n"


def test_template_files_are_compared(tmp_path: Path) -> None:
    for name, port in (("old.json", 6379), ("new.json", 6380)):
        store = {"Type": "AWS::MemoryDB::Cluster", "Properties": {"Port": port}}
        (tmp_path / name).write_text(json.dumps({"Resources": {"Store": store}}))

    assert main([str(tmp_path / "old.json"), str(tmp_path / "new.json")]) == 1


@pytest.mark.parametrize(
    ("arguments", "cdk_json", "message"),
    [
        (["no-such-thing"], None, "no-such-thing is no cloud assembly, no template file, no folder with a cdk.json"),
        (["HEAD", "."], "{", "the cdk.json of . is not JSON with an `app`"),
        (["HEAD", "."], '{"app": "python3 no.py"}', "the app of ., 'python3 no.py', failed:\n"),
        (["HEAD", "."], '{"app": "no-such-program"}', "'no-such-program', cannot be run: No such file or directory"),
        (["HEAD", "."], '{"app": "true"}', "the app of ., 'true', wrote no cloud assembly"),
    ],
)
def test_what_cannot_be_compared_is_exit_code_2(
    app: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], cdk_json: str | None, message: str
) -> None:
    if cdk_json is not None:
        (app / "cdk.json").write_text(cdk_json)

    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_the_command_cdk_redis_finds_it(tmp_path: Path) -> None:
    file = tmp_path / "template.json"
    file.write_text(json.dumps({"Resources": {}}))
    command = [sys.executable, "-m", "cdk_redis_runtime", "guard", str(file), str(file)]

    run = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (run.returncode, run.stdout) == (0, "0 replaced or removed, 0 other changes\n"), run.stderr
