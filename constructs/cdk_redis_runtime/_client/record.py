"""The record of a connection: JSON text that other stacks, teams and languages connect with.

It is flat, every value is a text, the fields have a fixed order, and there is no white space between them, so that a
CloudFormation template can take one out with ``Fn::Split`` on ``"port":"``. It contains no secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from cdk_redis_runtime._client import environment as env
from cdk_redis_runtime._client.reading import RECORD_VERSION, record_field, record_reader
from cdk_redis_runtime._client.settings import Connection

VERSION = "version"
STORE_SECURITY_GROUP = "store_security_group"
CLIENT_SECURITY_GROUP = "client_security_group"
POLICY_ARN = "policy_arn"

_OF_VARIABLES = (
    *(env.SERVICE, env.STORE, env.HOST, env.PORT, env.READER_HOST, env.READER_PORT, env.TLS, env.CLUSTER_MODE),
    *(env.SERVERLESS, env.ENGINE, env.ENGINE_VERSION, env.REGION, env.USER, env.AUTHENTICATION, env.SECRET_ARN),
)
FIELDS = (VERSION, *map(record_field, _OF_VARIABLES), STORE_SECURITY_GROUP, CLIENT_SECURITY_GROUP, POLICY_ARN)
"""Names of the fields, in their order."""


def record_text(values: Mapping[str, str]) -> str:
    """Write a record.

    Args:
        values: Values by variable (``CDK_REDIS_HOST``) or by field (``policy_arn``); others are ignored, and a field
            without a value is empty. Values of CloudFormation tokens are texts, too.

    Returns:
        The record as JSON.
    """
    fields = {record_field(key): value for key, value in values.items()} | {VERSION: RECORD_VERSION}
    return json.dumps({field: fields.get(field, "") for field in FIELDS}, separators=(",", ":"))


@dataclass(frozen=True)
class ConnectionRecord:
    """How to reach a store, as ``store.share("/orders/cache")`` writes it to an SSM parameter.

    Attributes:
        connection: How to connect.
        engine: ``valkey`` or ``redis``; empty if unknown.
        engine_version: Declared version; empty if unknown.
        store_security_group: Id of the store's security group; empty if unknown.
        client_security_group: Id of the security group whose members reach the store; empty if there is none.
        policy_arn: ARN of the managed policy that allows to sign in as the user; empty if there is none.
    """

    connection: Connection
    engine: str = ""
    engine_version: str = ""
    store_security_group: str = ""
    client_security_group: str = ""
    policy_arn: str = ""

    @classmethod
    def from_json(cls, text: str) -> ConnectionRecord:
        """Read a record.

        Args:
            text: The value of the SSM parameter. Unknown fields are ignored.

        Raises:
            SettingsError: With everything that is missing or wrong.
        """
        read = record_reader(text)
        others = (env.ENGINE, env.ENGINE_VERSION, STORE_SECURITY_GROUP, CLIENT_SECURITY_GROUP, POLICY_ARN)
        return cls(
            Connection.read(read, env.REGION), *(read.text(field) if read.has(field) else "" for field in others)
        )

    def to_json(self) -> str:
        """Write the record, in the form that `from_json` reads."""
        connection = self.connection
        reader = connection.reader
        return record_text(
            {
                env.SERVICE: connection.service,
                env.STORE: connection.store,
                env.HOST: connection.host,
                env.PORT: str(connection.port),
                env.READER_HOST: reader.host if reader else "",
                env.READER_PORT: str(reader.port) if reader else "",
                env.TLS: _boolean(connection.tls),
                env.CLUSTER_MODE: _boolean(connection.cluster_mode),
                env.SERVERLESS: _boolean(connection.serverless),
                env.ENGINE: self.engine,
                env.ENGINE_VERSION: self.engine_version,
                env.REGION: connection.region or "",
                env.USER: connection.user or "",
                env.AUTHENTICATION: connection.authentication,
                env.SECRET_ARN: connection.secret_arn or "",
                STORE_SECURITY_GROUP: self.store_security_group,
                CLIENT_SECURITY_GROUP: self.client_security_group,
                POLICY_ARN: self.policy_arn,
            }
        )


def _boolean(value: bool) -> str:
    return str(value).lower()
