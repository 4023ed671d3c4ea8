from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from cdk_redis._core.errors import ConfigurationError
from cdk_redis._elasticache.subnet_group import ElastiCacheSubnetGroup
from cdk_redis._memorydb.subnet_group import MemoryDbSubnetGroup
from cdk_redis._network.network import RedisNetwork

SUBNETS = ["subnet-1", "subnet-2"]


def network_in(stack: cdk.Stack, vpc_id: str = "vpc-1") -> RedisNetwork:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id=vpc_id, availability_zones=["a", "b"], isolated_subnet_ids=SUBNETS
    )
    return RedisNetwork(stack, "Network", vpc=vpc)


def test_a_group_has_the_subnets_of_its_network():
    stack = cdk.Stack(cdk.App(), "Stack")
    network = network_in(stack)
    elasticache = ElastiCacheSubnetGroup(stack, "ElastiCache", network=network)
    memorydb = MemoryDbSubnetGroup(stack, "MemoryDb", network=network)
    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::ElastiCache::SubnetGroup", {"Description": "Subnets of Stack/Network", "SubnetIds": SUBNETS}
    )
    template.has_resource_properties(
        "AWS::MemoryDB::SubnetGroup", {"Description": "Subnets of Stack/Network", "SubnetIds": SUBNETS}
    )
    # By reference, so that a store depends on its group.
    for group in (elasticache, memorydb):
        assert stack.resolve(group.subnet_group_name) == {"Ref": stack.get_logical_id(group.resource)}


def test_cloudformation_chooses_the_name_of_an_elasticache_group():
    stack = cdk.Stack()
    ElastiCacheSubnetGroup(stack, "Group", network=network_in(stack), description="Mine")
    (group,) = Template.from_stack(stack).find_resources("AWS::ElastiCache::SubnetGroup").values()
    assert group["Properties"] == {"Description": "Mine", "SubnetIds": SUBNETS}


def generated_name(id: str = "Group", vpc_id: str = "vpc-1") -> str:
    stack = cdk.Stack(cdk.App(), "My--Stack")
    return MemoryDbSubnetGroup(stack, id, network=network_in(stack, vpc_id)).resource.subnet_group_name


def test_a_generated_memorydb_name_is_valid_and_changes_with_the_vpc():
    name = generated_name()
    assert name.startswith("mystack-group-")
    assert name == name.lower()
    assert "--" not in name
    assert generated_name() == name
    assert generated_name(id="Other") != name
    assert generated_name(vpc_id="vpc-2") != name
    assert len(generated_name(id="G" * 255)) <= 255


def test_a_memorydb_group_can_have_a_name_and_a_description():
    stack = cdk.Stack()
    MemoryDbSubnetGroup(stack, "Group", network=network_in(stack), description="Mine", subnet_group_name="my-group")
    (group,) = Template.from_stack(stack).find_resources("AWS::MemoryDB::SubnetGroup").values()
    assert group["Properties"] == {"Description": "Mine", "SubnetGroupName": "my-group", "SubnetIds": SUBNETS}


@pytest.mark.parametrize("name", ["Group", "-group", "group-", "my--group", "1group", "my_group", "g" * 256])
def test_an_invalid_memorydb_name_is_refused(name: str):
    stack = cdk.Stack()
    with pytest.raises(ConfigurationError) as raised:
        MemoryDbSubnetGroup(stack, "Group", network=network_in(stack), subnet_group_name=name)
    assert str(raised.value) == (
        f"Default/Group: subnet_group_name: got {name!r}, but a name has 1 to 255 lower-case letters, digits and "
        "single hyphens, begins with a letter and does not end with a hyphen"
    )


def test_tokens_pass():
    stack = cdk.Stack()
    group = MemoryDbSubnetGroup(
        stack, "Group", network=network_in(stack), subnet_group_name=cdk.Fn.ref("Name"), description=cdk.Fn.ref("Text")
    )
    assert stack.resolve(group.resource.subnet_group_name) == {"Ref": "Name"}
    imported = ElastiCacheSubnetGroup.from_subnet_group_name(stack, "Imported", cdk.Fn.import_value("Group"))
    assert stack.resolve(imported.subnet_group_name) == {"Fn::ImportValue": "Group"}


@pytest.mark.parametrize("kind", [ElastiCacheSubnetGroup, MemoryDbSubnetGroup])
def test_an_existing_group_is_imported_by_name(kind: Any):
    stack = cdk.Stack()
    assert kind.from_subnet_group_name(stack, "Imported", "default").subnet_group_name == "default"
    assert Template.from_stack(stack).to_json().get("Resources", {}) == {}


@pytest.mark.parametrize("kind", [ElastiCacheSubnetGroup, MemoryDbSubnetGroup])
@pytest.mark.parametrize("name", ["MyGroup", "my group"])
def test_an_invalid_name_of_an_existing_group_is_refused(kind: Any, name: Any):
    with pytest.raises(ConfigurationError) as raised:
        kind.from_subnet_group_name(cdk.Stack(), "Imported", name)
    assert str(raised.value) == (
        f"Default/Imported: name: got {name!r}, but a name has 1 to 255 lower-case letters, digits and "
        "hyphens; the services store names in lower case"
    )


def test_the_stack_of_a_group_depends_on_the_stack_of_the_network():
    app = cdk.App()
    network_stack, store_stack = cdk.Stack(app, "Net"), cdk.Stack(app, "Store")
    network = RedisNetwork(network_stack, "Network")
    ElastiCacheSubnetGroup(store_stack, "ElastiCache", network=network)
    MemoryDbSubnetGroup(store_stack, "MemoryDb", network=network)
    app.synth()
    assert (store_stack.dependencies, network_stack.dependencies) == ([network_stack], [])
