"""The file with the variables of an EC2 instance: user data writes it when the instance starts for the first time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2

ENVIRONMENT_FILE = "/etc/cdk-redis/env"
_FOLDER = "/etc/cdk-redis"
_END = "CDK_REDIS_ENVIRONMENT"


def add_environment_file(user_data: ec2.UserData, variables: Mapping[str, str]) -> None:
    """Add commands that append variables to the file, for shells and for ``EnvironmentFile=`` of systemd.

    Both read ``NAME='value'``, and take every character between single quotes as it is. The values are not secret, so
    that every user of the instance can read the file.

    Args:
        user_data: User data of a Linux instance.
        variables: The variables; the values may be tokens.
    """
    lines = [f"{name}='{_quoted(value)}'" for name, value in variables.items()]
    user_data.add_commands(
        f"install -d -m 755 {_FOLDER}",
        # Quoted, so that the shell does not replace anything in the values.
        "\n".join([f"cat >> {ENVIRONMENT_FILE} <<'{_END}'", *lines, _END]),
        f"chmod 644 {ENVIRONMENT_FILE}",
    )


def _quoted(value: str) -> str:
    return value.replace("'", "'\\''")
