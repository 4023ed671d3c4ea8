"""Environment variables and boto3 settings of the local cloud's processes, without the user's AWS settings."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LOCAL_HOSTS = ("127.0.0.1", "localhost")
_PROXY_EXCEPTIONS = ("NO_PROXY", "no_proxy")
_CACHE = "JSII_RUNTIME_PACKAGE_CACHE"
# Variables that would connect AWS tools to another endpoint, or change their behavior.
_FOREIGN = ("AWS_", "CDK_DEFAULT_", "GATEWAY_PORT", "MINISTACK_", "SSL_CERT_")
# Variables that would change the emulator's behavior; users may have set them for LocalStack.
_EMULATOR = (
    "EDGE_PORT",
    "LAMBDA_",
    "LOCALSTACK_",
    "PERSIST_STATE",
    "S3_DATA_DIR",
    "S3_PERSIST",
    "SERVICES",
    "SFN_",
    "STATE_DIR",
    "USE_SSL",
)


def for_tools(environment: Mapping[str, str]) -> dict[str, str]:
    """The user's environment without variables that configure AWS tools; requests to this machine bypass proxies."""
    kept = {name: value for name, value in environment.items() if not name.startswith(_FOREIGN)}
    return {**kept, **dict.fromkeys(_PROXY_EXCEPTIONS, _proxy_exceptions(kept))}


def for_emulator(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of `for_tools` without variables that the emulator reads as its settings."""
    return {name: value for name, value in environment.items() if not name.startswith(_EMULATOR)}


def _proxy_exceptions(environment: Mapping[str, str]) -> str:
    # Programs differ in which of the two names they read, so both get the hosts of both.
    hosts = [word.strip() for name in _PROXY_EXCEPTIONS for word in environment.get(name, "").split(",")]
    if "*" in hosts:  # means all hosts, but only without other entries
        return "*"
    return ",".join(dict.fromkeys([*_LOCAL_HOSTS, *filter(None, hosts)]))


def package_cache(environment: Mapping[str, str], directory: Path) -> dict[str, str]:
    """The variable that makes jsii unpack its packages in ``directory``; empty if its default directory works.

    jsii runs each CDK app that is not in TypeScript. By default it unpacks its packages once, below the user's home
    directory, and ends with an error if that directory does not exist or is not writable and private.
    """
    if environment.get(f"{_CACHE}_ROOT") or environment.get(_CACHE, "enabled").lower() != "enabled":
        return {}
    # expanduser returns "~" if the home directory is unknown.
    home = Path(environment.get("HOME", os.path.expanduser("~")))  # noqa: PTH111
    if home.is_absolute() and home.is_dir() and _is_private(home / ".cache" / "aws" / "jsii" / "package-cache"):
        return {}
    return {f"{_CACHE}_ROOT": str(directory)}


def _is_private(path: Path) -> bool:
    """Whether this user can write to the path or create it, and no other user except root can change its contents."""
    existing = next(folder for folder in (path, *path.parents) if os.path.lexists(folder)).resolve()
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK) or existing.stat().st_uid != os.geteuid():
        return False
    return all(_is_safe(folder) for folder in (existing, *existing.parents))


def _is_safe(folder: Path) -> bool:
    found = folder.stat()
    shared = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
    return found.st_uid in (0, os.geteuid()) and not shared


def aws_session(environment: Mapping[str, str]) -> Any:
    """A boto3 session that only uses the credentials and Region of this environment.

    By default, boto3 also reads this process's environment and the user's files, and raises an error for a profile
    that does not exist, even if credentials are given.
    """
    import boto3
    import botocore.config
    import botocore.session

    # A setting is (name in files, names of variables, default, type): remove the names of variables.
    settings = {
        name: (in_file, None, default, convert)
        for name, (in_file, _, default, convert) in botocore.session.Session.SESSION_VARIABLES.items()
    }
    for name in ("config_file", "credentials_file"):
        settings[name] = (None, None, os.devnull, None)
    core = botocore.session.Session(session_vars=settings)
    # No proxy: requests go to this machine.
    core.set_default_client_config(botocore.config.Config(proxies={}))
    return boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
        botocore_session=core,
    )
