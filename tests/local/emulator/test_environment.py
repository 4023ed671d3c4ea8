"""AWS settings and proxies in the user's environment do not affect the local cloud."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cdk_redis_local._emulator.environment import for_tools, package_cache
from tests.local.support.clouds import Cloud

_NOWHERE = "http://127.0.0.1:9"
_HOSTILE = {
    "AWS_PROFILE": "names-nothing",
    "AWS_DEFAULT_PROFILE": "names-nothing",
    "AWS_SESSION_TOKEN": "mine",
    "AWS_REGION": "eu-north-1",
    "AWS_DEFAULT_REGION": "eu-north-1",
    "AWS_MAX_ATTEMPTS": "none",
    "AWS_RETRY_MODE": "none",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_CA_BUNDLE": "/sys/none",
    "AWS_ENDPOINT_URL_STS": _NOWHERE,
    **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), _NOWHERE),
    "no_proxy": "mine.example",
}


def test_a_client_of_the_cloud_ignores_the_user_s_aws_settings(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = tmp_path / "config"
    configuration.write_text(f"[default]\nregion = eu-north-1\nendpoint_url = {_NOWHERE}\nmax_attempts = none\n")
    for name, value in {**_HOSTILE, "AWS_CONFIG_FILE": str(configuration)}.items():
        monkeypatch.setenv(name, value)
    client = cloud.local.client("sts")
    assert client.get_caller_identity()["Account"] == "000000000000"
    assert client.meta.region_name == "us-east-1"


def test_a_command_reaches_the_cloud_when_the_user_has_a_proxy(tmp_path: Path) -> None:
    program = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    words = [sys.executable, "-m", "cdk_redis_local", "run", "--", sys.executable, "-c", program]
    environment = {**os.environ, **_HOSTILE, "TMPDIR": str(tmp_path)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "000000000000\n", done.stderr


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "a, localhost"}, "127.0.0.1,localhost,a"),
        ({"no_proxy": "b"}, "127.0.0.1,localhost,b"),
        ({"NO_PROXY": "a", "no_proxy": "b"}, "127.0.0.1,localhost,a,b"),
        ({"NO_PROXY": "*"}, "*"),
    ],
)
def test_both_no_proxy_variables_have_the_same_value(given: dict[str, str], expected: str) -> None:
    assert for_tools(given) == {"NO_PROXY": expected, "no_proxy": expected}


@pytest.mark.parametrize(
    ("given", "uses_workspace"),
    [
        ({"HOME": "{home}"}, False),
        ({"HOME": "{home}/missing"}, True),
        ({"HOME": "/sys/none"}, True),
        ({"HOME": "{open}"}, True),
        ({"HOME": "{file}"}, True),
        ({"HOME": "relative"}, True),
        ({"HOME": ""}, True),
        ({"HOME": "/sys/none", "JSII_RUNTIME_PACKAGE_CACHE_ROOT": "/mine"}, False),
        ({"HOME": "/sys/none", "JSII_RUNTIME_PACKAGE_CACHE": "disabled"}, False),
    ],
)
def test_jsii_unpacks_into_the_workspace_only_if_the_home_directory_is_unusable(
    given: dict[str, str], uses_workspace: bool, tmp_path: Path
) -> None:
    places = {"home": tmp_path / "home", "open": tmp_path / "open", "file": tmp_path / "file"}
    places["home"].mkdir(mode=0o700)
    places["open"].mkdir()
    places["open"].chmod(0o777)
    places["file"].touch()
    environment = {name: value.format(**places) for name, value in given.items()}
    expected = {"JSII_RUNTIME_PACKAGE_CACHE_ROOT": "/workspace/jsii"} if uses_workspace else {}
    assert package_cache(environment, Path("/workspace/jsii")) == expected


def test_a_cdk_app_runs_without_a_home_directory(tmp_path: Path) -> None:
    program = "import aws_cdk; print(len(aws_cdk.App().synth().stacks))"
    words = [sys.executable, "-m", "cdk_redis_local", "run", "--", sys.executable, "-c", program]
    # Not even root can create a folder there.
    environment = {**os.environ, "HOME": "/sys/none", "TMPDIR": str(tmp_path)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "0\n", done.stderr


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"HOME": "/sys/none"}, "{repository}/.venv/.jsii {repository}/.venv/.npm"),
        ({"HOME": "/sys/none", "JSII_RUNTIME_PACKAGE_CACHE_ROOT": "/mine", "npm_config_cache": "/too"}, "/mine /too"),
        ({"HOME": "{home}"}, ""),
    ],
)
def test_make_uses_caches_in_the_home_directory_only_if_it_exists(
    given: dict[str, str], expected: str, repository: Path, tmp_path: Path
) -> None:
    environment = {"PATH": os.environ["PATH"], **{name: value.format(home=tmp_path) for name, value in given.items()}}
    words = ["make", "--eval", "show: ; @echo $$JSII_RUNTIME_PACKAGE_CACHE_ROOT $$npm_config_cache", "show"]
    shown = subprocess.run(words, cwd=repository, env=environment, capture_output=True, text=True, check=True).stdout
    assert shown.strip() == expected.format(repository=repository)
