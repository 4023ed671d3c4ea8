"""Every action of both services is answered for real, or refused with a word of the local cloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from cdk_redis_local._emulator.api.service import ELASTICACHE, MEMORYDB, Service
from cdk_redis_local._emulator.api.table import EMPTY, TABLE
from tests.local.support.clouds import Cloud

_SERVICES = pytest.mark.parametrize("service", [ELASTICACHE, MEMORYDB], ids=lambda service: service.name)
_REFUSED = "the local cloud does not support"


def _least(shape: Any) -> Any:
    """A value with the required members of a shape only."""
    if shape.type_name == "structure":
        return {name: _least(member) for name, member in shape.members.items() if name in shape.required_members}
    if shape.type_name == "list":
        # Forms have no empty structures.
        return [_least(shape.member) or {next(iter(shape.member.members)): "absent"}]
    kinds = {"integer": 1, "long": 1, "boolean": True, "double": 1.0}
    return kinds.get(shape.type_name, shape.enum[0] if getattr(shape, "enum", None) else "absent")


@_SERVICES
def test_the_table_has_every_action(service: Service) -> None:
    assert list(TABLE[service]) == service.model.operation_names
    assert all(TABLE[service][name].kind == "real" for name in EMPTY[service])


@_SERVICES
def test_boto3_reads_the_answer_of_every_action(cloud: Cloud, service: Service) -> None:
    client = cloud.client(service.name, config=Config(retries={"total_max_attempts": 1}))
    known = {
        (service.model.shape_for(name).metadata.get("error") or {}).get("code", name)
        for name in service.model.shape_names
        if service.model.shape_for(name).metadata.get("exception")
    }
    for name, row in TABLE[service].items():
        operation = service.model.operation_model(name)
        error: Mapping[str, Any] = {}
        try:
            getattr(client, xform_name(name))(**_least(operation.input_shape))
        except ClientError as problem:
            error = problem.response["Error"]
        if row.kind == "refused":
            assert error["Message"] == f"{_REFUSED} {name}{': ' if row.text else ''}{row.text}", name
        else:
            assert not error or (error["Code"] in known and _REFUSED not in error["Message"]), (name, error)


def test_refused_actions_say_what_to_do(cloud: Cloud) -> None:
    elasticache, memorydb = cloud.client("elasticache"), cloud.client("memorydb")
    with pytest.raises(ClientError, match=f"{_REFUSED} CreateReplicationGroup: deploy a template with AWS::Elasti"):
        elasticache.create_replication_group(ReplicationGroupId="mine", ReplicationGroupDescription="Made up")
    assert elasticache.describe_replication_groups()["ReplicationGroups"] == []
    with pytest.raises(ClientError, match=f"{_REFUSED} DeleteCluster: delete the stack with AWS::MemoryDB::Cluster"):
        memorydb.delete_cluster(ClusterName="mine")
