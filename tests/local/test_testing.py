"""What tests of users are made of: names that are imported when they are used, and engines for ``connect()``."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

import cdk_redis_local
from cdk_redis_local import AclUser, CertificateAuthority, LocalCloudError, Workspace, find_engines
from cdk_redis_local._emulator.stores import Stores
from cdk_redis_local._testing.bound_engines import BoundEngines
from cdk_redis_runtime import connect


@pytest.fixture
def bound(monkeypatch: pytest.MonkeyPatch) -> Iterator[BoundEngines]:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with BoundEngines(monkeypatch.setenv) as engines:
        yield engines


def test_all_public_names_are_exported_and_exist() -> None:
    assert set(cdk_redis_local._HOMES) == set(cdk_redis_local.__all__)
    assert all(getattr(cdk_redis_local, name) is not None for name in cdk_redis_local.__all__)
    with pytest.raises(AttributeError, match="'cdk_redis_local' has no attribute 'LocalClod'"):
        _ = cdk_redis_local.LocalClod


def test_the_plug_in_imports_nothing_but_pytest() -> None:
    program = "import pytest, sys; before = set(sys.modules); import cdk_redis_local._testing.plugin\n"
    program += "print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["cdk_redis_local", "cdk_redis_local._testing", "cdk_redis_local._testing.plugin"]


def test_connect_signs_in_to_engines_of_a_unit_test(bound: BoundEngines) -> None:
    cart = bound.start("on ~cart:* +@all", users=[AclUser("report", "on %R~* +@read", passwords=("a-password",))])
    bound.start(name="ledger", service="memorydb", cluster_mode=True, replicas=1)

    assert connect().set("cart:1", "tea")
    assert connect("ledger").set("any", "key")
    assert cart.nodes[0].admin.get("cart:1") == "tea"
    with pytest.raises(NoPermissionError):
        connect().set("other", "tea")
    with pytest.raises(ResponseError, match=r"no permissions|NOPERM"):
        connect("ledger").execute_command("CONFIG", "GET", "save", target_nodes="random")
    with pytest.raises(LocalCloudError, match="the binding ledger has a store already"):
        bound.start(name="ledger")
    with pytest.raises(LocalCloudError, match="name: got 'Ledger'"):
        bound.start(name="Ledger")
    with pytest.raises(LocalCloudError, match="service: got 'redis'"):
        bound.start(name="more", service="redis")

    # A token is checked: one that is signed for another store is refused.
    with pytest.raises(AuthenticationError):
        connect(environment={**os.environ, "CDK_REDIS_STORE": "another"}).ping()


def test_connect_reads_the_password_of_an_engine_from_its_secret(
    bound: BoundEngines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    began = time.monotonic()
    store = bound.start("on ~cart:* +@all", authentication="password", users=[AclUser("report", passwords=("x" * 16,))])
    assert connect().set("cart:1", "tea")
    assert time.monotonic() - began < 5  # on a quiet machine: a third of a second

    with pytest.raises(NoPermissionError):
        connect().set("other", "tea")
    with store.nodes[0].client("report", "x" * 16) as report:  # any client of redis-py, through the gate
        assert report.get("cart:1") == "tea"
    bound.start(name="open", authentication="none")
    assert connect("open").ping()
    with pytest.raises(LocalCloudError, match="authentication: got 'token'"):
        bound.start(name="more", authentication="token")

    # The secret is for this process's credentials only, and there is nothing else.
    client = boto3.client("secretsmanager")
    with pytest.raises(ClientError, match="UnknownOperationException"):
        client.list_secrets()
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.get_secret_value(SecretId="another")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    keys = {"aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": "another"}
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        boto3.client("secretsmanager", **keys).get_secret_value(SecretId=os.environ["CDK_REDIS_SECRET_ARN"])
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL_SECRETS_MANAGER"], data=b"{}", timeout=5)


def test_another_engine_stands_in_only_if_it_may(tmp_path: Path) -> None:
    said: list[str] = []
    (engine, *_), newest = find_engines(), max(find_engines(), key=lambda one: [one.name == "valkey", one.version])
    with Workspace() as workspace:
        authority = CertificateAuthority(tmp_path / "ca")
        strict, lenient = (
            Stores(workspace, authority, authorize=lambda *_: None, say=said.append, stand_in=stand_in)
            for stand_in in (False, True)
        )
        with pytest.raises(LocalCloudError, match=r"this machine has only .*LocalCloud\(stand_in=True\)"):
            strict.choose_engine("valkey", "99.1")
        assert lenient.choose_engine(engine.name, engine.version) == engine
        assert said == []
        assert {lenient.choose_engine("valkey", "99.1") for _ in range(2)} == {newest}
    assert said == [f"{newest} stands in for valkey 99.1, which this machine does not have"]
