"""What processes and clients of the local cloud take over from the user's environment, and what they do not."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LOCAL_HOSTS = ("127.0.0.1", "localhost")
_PROXY_EXCEPTIONS = ("NO_PROXY", "no_proxy")
_CACHE = "JSII_RUNTIME_PACKAGE_CACHE"
# What would lead a tool of AWS's away from the local cloud, or change its ways.
_FOREIGN = ("AWS_", "CDK_DEFAULT_", "GATEWAY_PORT", "MINISTACK_", "SSL_CERT_")
# What would change the emulator's ways; some people have it for another emulator.
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
    """The user's environment without what leads tools of AWS away; requests to this machine pass no proxy."""
    kept = {name: value for name, value in environment.items() if not name.startswith(_FOREIGN)}
    return {**kept, **dict.fromkeys(_PROXY_EXCEPTIONS, _proxy_exceptions(kept))}


def for_emulator(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment of tools without what the emulator would take for its own settings."""
    return {name: value for name, value in environment.items() if not name.startswith(_EMULATOR)}


def _proxy_exceptions(environment: Mapping[str, str]) -> str:
    # Some programs read one name, some the other, some prefer either: both get what both have said.
    said = [word.strip() for name in _PROXY_EXCEPTIONS for word in environment.get(name, "").split(",")]
    if "*" in said:  # for all hosts, but only if it stands alone
        return "*"
    return ",".join(dict.fromkeys([*_LOCAL_HOSTS, *filter(None, said)]))


def package_cache(environment: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Where jsii, which runs every CDK app that is not in TypeScript, unpacks its packages.

    That is below the user's home, so that it does it once. Where that does not exist or will not do, jsii ends with an
    error: there, the variable that names another folder, ``directory``.
    """
    if environment.get(f"{_CACHE}_ROOT") or environment.get(_CACHE, "enabled").lower() != "enabled":
        return {}
    # "~" itself where nobody knows.
    home = Path(environment.get("HOME", os.path.expanduser("~")))  # noqa: PTH111
    if home.is_absolute() and home.is_dir() and _is_private(home / ".cache" / "aws" / "jsii" / "package-cache"):
        return {}
    return {f"{_CACHE}_ROOT": str(directory)}


def _is_private(path: Path) -> bool:
    """Whether we can write to the path, or make it, and nobody but root and us can change what is there."""
    existing = next(folder for folder in (path, *path.parents) if os.path.lexists(folder)).resolve()
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK) or existing.stat().st_uid != os.geteuid():
        return False
    return all(_is_safe(folder) for folder in (existing, *existing.parents))


def _is_safe(folder: Path) -> bool:
    found = folder.stat()
    shared = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
    return found.st_uid in (0, os.geteuid()) and not shared


def aws_session(environment: Mapping[str, str]) -> Any:
    """A boto3 session of this environment's credentials and Region, which reads nothing else from anywhere.

    boto3 itself would also read the environment of this process and the user's files: a profile that does not exist is
    an error there, whatever credentials are given.
    """
    import boto3
    import botocore.config
    import botocore.session

    # From each setting's name in files, names of variables, default and type: the same without variables.
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
