"""The emulator's insides: one room uses them, all are declared, and a difference stops the server with one message."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import cdk_redis_local
from cdk_redis_local._emulator.declared import DECLARED, HANDLERS
from cdk_redis_local._emulator.insides import EmulatorChangedError, check_insides, kind_of_name, replace
from tests.local.support.used_names import assigned_names, importing_files, used_names

PACKAGE = Path(cdk_redis_local.__file__).parent
ROOM = PACKAGE / "_emulator" / "ministack"
ELASTICACHE = "ministack.services.elasticache"


def test_one_room_imports_the_emulator() -> None:
    assert [path for path in importing_files(PACKAGE) if not path.is_relative_to(ROOM)] == []


def test_the_declared_names_are_those_that_the_room_uses() -> None:
    used = {name for path in importing_files(ROOM) for name in used_names(path)}
    declared = {(owner, name) for owner, names in DECLARED.items() for name in names}
    lines = [f'{owner}: "{name}": "{kind_of_name(owner, name)}",' for owner, name in sorted(used - declared)]
    assert lines == [], "add these lines to _emulator/declared.py"
    assert sorted(declared - used) == [], "remove these lines of _emulator/declared.py"


def test_each_replaced_name_goes_through_replace() -> None:
    assert {path.name: names for path in importing_files(ROOM) if (names := assigned_names(path))} == {}


def test_the_installed_emulator_fits() -> None:
    # In another process: tests of this one replace names.
    code = "from cdk_redis_local._emulator.insides import check_insides; check_insides()"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_message_names_each_difference() -> None:
    declared = {
        ELASTICACHE: {"_users": "AccountRegionScopedDict", "_modify_user": "(parameters, account=)", "_gone": "()"},
        "ministack.core.gone": {"anything": "dict"},
        "ministack.core.lambda_runtime.Worker": {"in_use": "instance attribute", "_process": "instance attribute"},
    }
    with pytest.raises(EmulatorChangedError) as raised:
        check_insides(declared)
    version = importlib.metadata.version("ministack")
    assert str(raised.value) == (
        f"ministack {version} does not fit this version of cdk-redis, which needs other insides; run "
        "`pip install 'cdk-redis[local]'` to install one that fits:\n"
        f"  {ELASTICACHE}._modify_user: expected (parameters, account=), found (p)\n"
        f"  {ELASTICACHE}._gone: expected (), found missing\n"
        "  ministack.core.gone.anything: expected dict, found missing\n"
        "  ministack.core.lambda_runtime.Worker._process: expected instance attribute, found missing"
    )


def test_the_functions_of_resource_types_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    from ministack.services.cloudformation import provisioners

    table = provisioners._RESOURCE_HANDLERS
    monkeypatch.delitem(table, "AWS::Lambda::Version")
    monkeypatch.setitem(table, "AWS::S3::Bucket", {"delete": str.upper})
    with pytest.raises(EmulatorChangedError) as raised:
        check_insides()
    assert [line for line in str(raised.value).splitlines() if HANDLERS in line] == [
        f"  {HANDLERS}['AWS::Lambda::Version']: expected functions, found missing",
        f"  {HANDLERS}['AWS::S3::Bucket']['delete']: expected 2 arguments, found (self/)",
    ]


def test_a_server_with_another_emulator_ends_with_this_message_only() -> None:
    program = (
        "from ministack.services import elasticache\n"
        "del elasticache._users\n"
        "from cdk_redis_local._emulator.server_start import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert "does not fit this version of cdk-redis" in first
    assert second == f"  {ELASTICACHE}._users: expected AccountRegionScopedDict, found missing"


def test_an_undeclared_name_cannot_be_replaced() -> None:
    from ministack.services import elasticache

    with pytest.raises(EmulatorChangedError, match=r"elasticache\._create_user is replaced without a line in"):
        replace(elasticache, "_create_user", None)


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of the emulator whose names a test may replace."""
    from ministack.services import secretsmanager

    monkeypatch.setattr(secretsmanager, "_rotate_secret", secretsmanager._rotate_secret)
    return secretsmanager


def test_a_replaced_name_is_replaced_where_the_emulator_has_imported_it(
    emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ministack.services import iam

    monkeypatch.setattr(iam, "imported", emulator._rotate_secret, raising=False)
    replace(emulator, "_rotate_secret", replacement := object())
    assert iam.imported is emulator._rotate_secret is replacement


def test_a_name_that_a_table_of_the_emulator_keeps_cannot_be_replaced(
    emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ministack.services import iam

    monkeypatch.setattr(iam, "table", {"RotateSecret": emulator._rotate_secret}, raising=False)
    with pytest.raises(EmulatorChangedError, match=r"_rotate_secret cannot be replaced: .*\.iam\.table has it, too"):
        replace(emulator, "_rotate_secret", object())
