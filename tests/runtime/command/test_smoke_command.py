"""The command as a process, with real engines."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from cdk_redis_local import CertificateAuthority, EngineSet, Place, find_engine
from cdk_redis_local._engines.node import reserve_port, wait_until
from cdk_redis_runtime import Address, Connection, Declaration, Report
from cdk_redis_runtime._client.connect import credential_provider
from cdk_redis_runtime._command.main import main
from cdk_redis_runtime._command.options import COULD_NOT_RUN
from tests.runtime.support.battery import PASSWORD, assert_no_secret, smoke_user


def _run(engines: EngineSet, *arguments: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    engine = find_engine()
    host, port = engines.endpoint
    fixed = ["--host", host, "--port", str(port), "--user", "smoke", "--password-from", "STORE_PASSWORD"]
    fixed += ["--engine", engine.name, "--engine-version", engine.major_minor, "--shards", str(engines.shards)]
    fixed += ["--replicas", str(engines.replicas), "--budget", "5"]
    if engines.cluster_mode:
        fixed.append("--cluster")
    else:
        fixed += ["--reader", str(Address(*engines.reader_endpoint))]
    done = subprocess.run(
        [sys.executable, "-m", "cdk_redis_runtime", "smoke", *fixed, *arguments],
        env={**os.environ, "SSL_CERT_FILE": engines.ca_file, "STORE_PASSWORD": password},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert_no_secret([done.stdout, done.stderr], {PASSWORD, password})
    return done


def test_healthy_cluster_exits_with_zero_and_shows_a_table(cluster: EngineSet) -> None:
    done = _run(cluster)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "durability" in done.stdout
    assert "passed" in done.stdout


def test_report_is_json_with_the_option_json(single: EngineSet) -> None:
    done = _run(single, "--json", "--maxmemory-policy", "noeviction")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert {check["status"] for check in report["checks"]} == {"passed"}


def test_failed_check_exits_with_one_and_shows_no_secret(single: EngineSet) -> None:
    done = _run(single, "--budget", "2", password="not-the-password-of-the-user")
    assert done.returncode == 1
    assert "WRONGPASS" in done.stdout


@pytest.mark.parametrize(
    ("option", "given", "words"),
    [
        ("--port", "0", "a whole number from 1 to 65535"),
        ("--port", "6379x", "a whole number from 1 to 65535"),
        ("--shards", "0", "a whole number from 1 to 500"),
        ("--shards", "501", "a whole number from 1 to 500"),
        ("--replicas", "6", "a whole number from 0 to 5"),
        ("--replicas", "1.5", "a whole number from 0 to 5"),
        ("--budget", "0.5", "a number from 1 to 900"),
        ("--budget", "901", "a number from 1 to 900"),
        ("--budget", "nan", "a number from 1 to 900"),
        ("--latency-limit", "0", "a number from 1 to 60000"),
        ("--latency-limit", "fast", "a number from 1 to 60000"),
        ("--reader", "host:65536", "HOST or HOST:PORT, with a port from 1 to 65535"),
        ("--reader", ":6379", "HOST or HOST:PORT, with a port from 1 to 65535"),
        ("--reader", "::1:6379:x", "an IPv6 address with a port in brackets: [::1]:6379"),
        ("--reader", "[host]:6379", "an IPv6 address with a port in brackets: [::1]:6379"),
        ("--host", "host:6379", "a host name or an IP address; --port takes the port"),
        ("--engine-version", "8.x", "numbers with points between them: 8, 7.1 or 7.0.15"),
        ("--key-prefix", "", "a prefix is needed so that the test touches no other keys"),
    ],
)
def test_value_out_of_range_is_rejected_before_connecting(
    option: str, given: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["smoke", *(["--host", "orders.invalid"] if option != "--host" else []), option, given])
    assert ended.value.code == COULD_NOT_RUN
    said = capsys.readouterr()
    assert f"argument {option}: got {given!r}" in said.err
    assert words in said.err
    assert said.out == ""


def test_latency_limit_is_that_of_the_option(single: EngineSet) -> None:
    done = _run(single, "--json", "--latency-limit", "1234.5")
    (latency,) = [check for check in json.loads(done.stdout)["checks"] if check["name"] == "latency"]
    assert latency["expected"] == "a median round trip of at most 1234.5 ms"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--password-from", "NO_SUCH_VARIABLE"],
            "neither the name of an environment variable that is set nor the ARN of a secret",
        ),
        (["--reader", "host:port"], "allowed is HOST or HOST:PORT"),
        (["--iam", "orders"], "not allowed with argument"),
        (["--nonsense"], "unrecognized arguments"),
    ],
)
def test_wrong_arguments_exit_with_two(arguments: list[str], words: str, single: EngineSet) -> None:
    done = _run(single, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


def test_password_given_in_place_of_a_variable_name_is_not_shown(single: EngineSet) -> None:
    done = _run(single, "--password-from", PASSWORD)
    assert done.returncode == COULD_NOT_RUN
    assert "never the password itself" in done.stderr


def test_engines_can_be_reached_at_ipv6_addresses(
    start: Callable[..., EngineSet],
) -> None:
    engines = start(replicas=1, users=[smoke_user()], place=lambda _shard, _role: Place("::1", "::1"))
    host, port = engines.endpoint
    assert host == "::1"
    for given in ("::1", "[::1]"):
        done = _run(engines, "--host", given, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
    done = _run(engines, "--host", "[::1]", "--json", "--engine-version", "99.9", "--budget", "2")
    assert f"[::1]:{port}" in done.stdout


@contextlib.contextmanager
def _cluster_of_one(directory: Path, authority: CertificateAuthority) -> Generator[int, None, None]:
    """An engine with all slots whose only address, in CLUSTER SLOTS too, is ::1."""
    certificate = authority.issue("node", "::1")
    with reserve_port() as reserved:
        port = int(reserved.getsockname()[1])
    (directory / "users.acl").write_text(f"user default on nopass ~* &* +@all\n{smoke_user().line}\n")
    options = [f"--tls-port {port} --port 0 --bind ::1 --dir {directory} --aclfile {directory}/users.acl"]
    options += ["--cluster-enabled yes --cluster-announce-ip ::1 --tls-cluster yes --tls-auth-clients no"]
    options += [f"--tls-cert-file {certificate.certificate_file} --tls-key-file {certificate.key_file}"]
    options += [f"--tls-ca-cert-file {authority.ca_file}"]
    engine = subprocess.Popen([find_engine().path, *" ".join(options).split()], stdout=subprocess.DEVNULL)
    try:
        trust = {"ssl": True, "ssl_ca_certs": str(authority.ca_file)}
        admin = Redis(host="::1", port=port, retry=Retry(ConstantBackoff(0.1), 50), **trust)
        admin.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        wait_until(lambda: admin.cluster("INFO")["cluster_state"] == "ok", "the formation of the cluster")
        # The user default was on for the setup.
        admin.execute_command("ACL SETUSER default off")
        admin.close()
        yield port
    finally:
        engine.kill()
        engine.wait()


def test_cluster_whose_nodes_have_ipv6_addresses_passes(tmp_path_factory: pytest.TempPathFactory) -> None:
    authority = CertificateAuthority(tmp_path_factory.mktemp("authority") / "ca")
    engine = find_engine()
    with _cluster_of_one(tmp_path_factory.mktemp("engine"), authority) as port:
        arguments = ["--host", "::1", "--port", str(port), "--cluster", "--user", "smoke"]
        arguments += ["--password-from", "STORE_PASSWORD", "--engine", engine.name, "--json"]
        done = subprocess.run(
            [sys.executable, "-m", "cdk_redis_runtime", "smoke", *arguments, "--engine-version", engine.major_minor],
            env={**os.environ, "SSL_CERT_FILE": str(authority.ca_file), "STORE_PASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, done.stdout + done.stderr


def _asked_for(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[Connection, Declaration]:
    """The settings that the command derives from its arguments."""
    asked: list[tuple[Connection, Declaration]] = []

    def smoke_test(connection: Connection, declared: Declaration, **_options: object) -> Report:
        asked.append((connection, declared))
        return Report(connection.store, connection.service, 1)

    monkeypatch.setattr("cdk_redis_runtime._command.smoke.smoke_test", smoke_test)
    main(["smoke", *arguments, "--json"])
    return asked[0]


SERVERLESS = ["--host", "sessions.example.com", "--user", "web", "--iam", "sessions", "--region", "eu-west-1"]


@pytest.mark.parametrize(("arguments", "resource_type"), [([], None), (["--serverless"], ["ServerlessCache"])])
def test_serverless_option_changes_the_token(
    arguments: list[str], resource_type: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "an-example")
    connection, _declared = _asked_for([*SERVERLESS, *arguments], monkeypatch)
    provider = credential_provider(connection)
    assert provider is not None
    assert parse_qs(urlsplit(f"//{provider.get_credentials()[-1]}").query).get("ResourceType") == resource_type


def test_serverless_cache_is_in_cluster_mode_and_chooses_its_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    connection, declared = _asked_for([*SERVERLESS, "--serverless"], monkeypatch)
    assert (connection.cluster_mode, declared.shards, declared.replicas) == (True, None, None)
    connection, declared = _asked_for(SERVERLESS, monkeypatch)
    assert (connection.cluster_mode, declared.shards, declared.replicas) == (False, 1, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--service", "memorydb"], "memorydb has no serverless stores"),
        (["--shards", "1"], "cannot be combined with --shards or --replicas"),
        (["--replicas", "0"], "cannot be combined with --shards or --replicas"),
        (["--no-tls"], "cannot be combined with --no-tls: a serverless cache has TLS"),
        (["--reader", "sessions.example.com:6380"], "cannot be combined with --reader"),
    ],
)
def test_option_that_a_serverless_cache_does_not_support_is_rejected(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["smoke", *SERVERLESS, "--serverless", *arguments]) == COULD_NOT_RUN
    assert words in capsys.readouterr().err
