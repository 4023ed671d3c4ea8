"""A store that another app owns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_redis._access.authentication import Authentication
from cdk_redis._access.members import check_users
from cdk_redis._core.errors import ConfigurationError, Problems, problem
from cdk_redis._store.store import Store
from cdk_redis._values.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cdk_redis._access.access_string import AccessString
    from cdk_redis._access.users import User
    from cdk_redis._core.service import Service
    from cdk_redis._network.network import RedisNetwork
    from cdk_redis._store.alarm_table import AlarmRow
    from cdk_redis._values.endpoint import Endpoint


class ImportedStore(Store):
    """A store that another app owns. Constructs of this app can connect to it; this app cannot change it."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        service: Service,
        store_name: str,
        endpoint: Endpoint,
        reader_endpoint: Endpoint | None,
        topology: Topology,
        security_groups: Sequence[ec2.ISecurityGroup],
        users: Sequence[User],
        network: RedisNetwork | None,
        alarm_rows: Sequence[AlarmRow],
        last_port: int | None = None,
        open_access: bool = False,
    ) -> None:
        super().__init__(scope, id, port=endpoint.port, last_port=last_port)
        self.service = service
        self.store_name = store_name
        self.store_arn = service.store_arn(self, store_name)
        self.endpoint = endpoint
        self.reader_endpoint = reader_endpoint
        self.topology = topology
        self.network = network
        self.users = list(users)
        self.open_access = open_access
        self._rows = alarm_rows
        self._use_security_groups(security_groups)
        problems = Problems(self)
        check_users(problems, self.users, service)
        problems.raise_if_any()

    def _alarm_rows(self) -> Sequence[AlarmRow]:
        return self._rows

    def _create_user(self, scope: Construct, id: str, access: AccessString, authentication: Authentication) -> User:  # noqa: ARG002 - the base's signature
        hint = "define it in the store's app, import it with `from_user_attributes`, and add it to `users`"
        raise ConfigurationError(self.node.path, [problem("name", id, "the store is imported", hint)])
