"""What templates of ordinary apps expect around them, and what the local cloud says about what it lacks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cdk_redis_local import LocalCloud
from tests.local.support.clouds import ROLE_OF_FUNCTIONS, Cloud, StackFailedError
from tests.local.support.resource_types_page import PAGE, part_of, supported_types, written

ACCOUNT = "111122223333"
FIREWALL = "AWS::WAFv2::RegexPatternSet"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with LocalCloud(account=ACCOUNT, inert=[FIREWALL]) as local:
        yield Cloud(local)


@pytest.mark.parametrize(
    ("resource_type", "message"),
    [
        (
            "AWS::WAFv2::RuleGroup",
            r"the local cloud does not support AWS::WAFv2::RuleGroup: leave them out of the app for tests, or let them "
            r'have no effect: LocalCloud\(inert=\["AWS::WAFv2::RuleGroup"\]\)',
        ),
        ("AWS::ElastiCache::Replicationgroup", r"Template format error: Unrecognized resource types: \[AWS::Elasti"),
        ("Elasticache", r"Template format error: Unrecognized resource types: \[Elasticache\]"),
    ],
)
def test_a_type_that_is_missing_is_told_from_one_that_does_not_exist(
    cloud: Cloud, resource_type: str, message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        cloud.deploy("unknown", {"One": {"Type": resource_type, "Properties": {}}})


def test_the_page_lists_the_types_that_the_cloud_supports(cloud: Cloud) -> None:
    supported = supported_types(cloud.client("cloudformation"))
    made = written([name for name in supported if name != FIREWALL])
    assert part_of(PAGE.read_text()) == made, "run python -m tests.local.support.resource_types_page"


def test_a_type_that_the_user_chose_has_no_effect_and_all_attributes(cloud: Cloud) -> None:
    outputs: dict[str, Any] = {name: {"Fn::GetAtt": ["Set", name]} for name in ("Arn", "Anything")}
    made = cloud.deploy("inert", {"Set": {"Type": FIREWALL}}, {"Ref": {"Ref": "Set"}, **outputs})
    assert made["Anything"] == made["Ref"] == "inert-Set"
    assert made["Arn"].startswith("arn:")
    assert cloud.has_said(f"{FIREWALL} has no effect in the local cloud")
    cloud.delete("inert")


def test_stacks_are_in_the_account_of_the_cloud(cloud: Cloud) -> None:
    topic = {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}}
    made = cloud.deploy("account", topic, {"Arn": {"Ref": "Topic"}, "Account": {"Ref": "AWS::AccountId"}})
    assert made["Account"] == ACCOUNT
    assert made["Arn"].startswith(f"arn:aws:sns:us-east-1:{ACCOUNT}:")
    assert cloud.client("sts").get_caller_identity()["Account"] == ACCOUNT
    cloud.delete("account")


def test_networks_that_exist_have_a_record_with_their_ids(cloud: Cloud) -> None:
    subnets = {"Description": "s", "SubnetIds": ["subnet-0a", "subnet-0b"]}
    group = {"GroupDescription": "g", "VpcId": "vpc-0a"}
    resources = {
        "Subnets": {"Type": "AWS::ElastiCache::SubnetGroup", "Properties": subnets},
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": group},
    }
    made = cloud.deploy("network", resources, {"Subnets": {"Ref": "Subnets"}})
    elasticache = cloud.client("elasticache")
    (found,) = elasticache.describe_cache_subnet_groups(CacheSubnetGroupName=made["Subnets"])["CacheSubnetGroups"]
    zones = {one["SubnetIdentifier"]: one["SubnetAvailabilityZone"]["Name"] for one in found["Subnets"]}
    assert (found["VpcId"], zones) == ("vpc-0a", {"subnet-0a": "us-east-1a", "subnet-0b": "us-east-1b"})
    assert cloud.has_said("vpc-0a, subnet-0a, subnet-0b: no stack of the local cloud created this network")
    cloud.delete("network")


def test_an_instance_is_a_record_with_an_image_of_aws(cloud: Cloud) -> None:
    image = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.12-arm64"
    properties: dict[str, Any] = {"ImageId": f"{{{{resolve:ssm:{image}}}}}", "InstanceType": "t4g.nano"}
    resources = {"Bastion": {"Type": "AWS::EC2::Instance", "Properties": properties}}
    outputs = {"Id": {"Ref": "Bastion"}, "Address": {"Fn::GetAtt": ["Bastion", "PrivateIp"]}}
    made = cloud.deploy("instance", resources, outputs)
    properties["Tags"] = [{"Key": "Name", "Value": "bastion"}]
    assert cloud.deploy("instance", resources, outputs) == made
    (instance,) = cloud.client("ec2").describe_instances(InstanceIds=[made["Id"]])["Reservations"][0]["Instances"]
    assert instance["ImageId"] == cloud.client("ssm").get_parameter(Name=image)["Parameter"]["Value"]
    assert (instance["PrivateIpAddress"], instance["State"]["Name"]) == (made["Address"], "running")
    assert {"Key": "Name", "Value": "bastion"} in instance["Tags"]
    properties["ImageId"] = "ami-0123456789abcdef0"
    assert cloud.deploy("instance", resources, outputs)["Id"] != made["Id"]
    cloud.delete("instance")


def test_a_custom_resource_fails_at_once_if_its_function_does(cloud: Cloud) -> None:
    code = "def handler(event, context):\n    raise ValueError('out of luck')\n"
    function = {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Code": {"ZipFile": code},
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
    }
    resources = {
        "Role": ROLE_OF_FUNCTIONS,
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Custom": {"Type": "Custom::Thing", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}},
    }
    began = time.monotonic()
    with pytest.raises(StackFailedError, match=r"ended without an answer to CloudFormation: .*out of luck"):
        cloud.deploy("custom", resources)
    assert time.monotonic() - began < 60
    cloud.delete("custom")


def test_a_function_that_lacks_a_package_of_lambda_tells_how_to_install_it(cloud: Cloud) -> None:
    function = {
        "Runtime": "nodejs22.x",
        "Handler": "index.handler",
        "Code": {
            "ZipFile": "const { Glacier } = require('@aws-sdk/client-glacier'); exports.handler = async () => {};"
        },
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
    }
    resources = {
        "Role": ROLE_OF_FUNCTIONS,
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Custom": {"Type": "Custom::Thing", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}},
    }
    with pytest.raises(StackFailedError, match=r"run `npm install --save-dev @aws-sdk/client-glacier`"):
        cloud.deploy("package", resources)
    cloud.delete("package")
