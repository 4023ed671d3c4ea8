"""`ClientHost`: the instance, its endpoints, its permissions, and its command."""

from __future__ import annotations

import ast
import inspect
import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cdk_redis import (
    AccessString,
    ClientHost,
    ConfigurationError,
    MemoryDbCluster,
    RedisNetwork,
    ReplicationGroup,
    ServerlessCache,
)
from cdk_redis._client_host import program

READ = AccessString.read_only("*")


def template_of(stack: cdk.Stack) -> assertions.Template:
    return assertions.Template.from_stack(stack)


def properties(stack: cdk.Stack, kind: str) -> list[dict[str, Any]]:
    return [one.get("Properties", {}) for one in template_of(stack).find_resources(kind).values()]


def user_data_of(stack: cdk.Stack) -> str:
    """What the instance gets: functions of CloudFormation are replaced, references are in angle brackets."""
    (instance,) = properties(stack, "AWS::EC2::Instance")
    return _text(instance["UserData"])


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::Join":
        return "".join(map(_text, argument[1]))
    return _text(argument) if function == "Fn::Base64" else f"<{argument}>"


@pytest.fixture
def cache(stack: cdk.Stack, network: RedisNetwork) -> ReplicationGroup:
    return ReplicationGroup(stack, "Cache", network=network)


@pytest.fixture
def host(stack: cdk.Stack, cache: ReplicationGroup) -> ClientHost:
    return ClientHost(stack, "Host", store=cache, user=cache.add_iam_user("operator", READ))


def test_instance_is_small_and_closed(stack: cdk.Stack, host: ClientHost) -> None:
    (instance,) = properties(stack, "AWS::EC2::Instance")
    assert instance["InstanceType"] == "t4g.micro"
    assert "KeyName" not in instance
    assert "NetworkInterfaces" not in instance
    assert instance["SubnetId"] == stack.resolve(host.instance.instance.subnet_id)
    (volume,) = instance["BlockDeviceMappings"]
    assert volume["Ebs"] == {"DeleteOnTermination": True, "Encrypted": True, "VolumeSize": 8, "VolumeType": "gp3"}
    (launch,) = properties(stack, "AWS::EC2::LaunchTemplate")
    # Without a name: a second host, here or in another stack, must not have the same.
    assert launch == {
        "LaunchTemplateData": {"MetadataOptions": {"HttpPutResponseHopLimit": 1, "HttpTokens": "required"}}
    }
    assert instance["LaunchTemplate"]["LaunchTemplateId"] == {
        "Ref": next(iter(template_of(stack).find_resources("AWS::EC2::LaunchTemplate")))
    }


def test_instance_is_in_the_zone_of_its_subnet() -> None:
    # A network that chooses its zones by their ids does not know their names.
    stack = cdk.Stack(cdk.App(), "Stack", env=cdk.Environment(account="111122223333", region="us-east-1"))
    ClientHost(stack, "Host", network=RedisNetwork(stack, "Network", zone_ids=["use1-az1", "use1-az2"]))
    (instance,) = properties(stack, "AWS::EC2::Instance")
    assert "AvailabilityZone" not in instance


def test_volume_is_encrypted_with_the_given_key(stack: cdk.Stack, network: RedisNetwork) -> None:
    key = kms.Key(stack, "Key")
    ClientHost(stack, "Host", network=network, kms_key=key)
    (instance,) = properties(stack, "AWS::EC2::Instance")
    (volume,) = instance["BlockDeviceMappings"]
    assert volume["Ebs"]["KmsKeyId"] == stack.resolve(key.key_arn)


def test_nothing_can_connect_to_the_instance(stack: cdk.Stack, host: ClientHost) -> None:
    group = stack.resolve(host.security_group.security_group_id)
    assert "SecurityGroupIngress" not in next(
        one for one in properties(stack, "AWS::EC2::SecurityGroup") if one["GroupDescription"] == "Host Stack/Host"
    )
    assert all(rule["GroupId"] != group for rule in properties(stack, "AWS::EC2::SecurityGroupIngress"))


def test_instance_reaches_the_store_and_the_endpoints(
    stack: cdk.Stack, cache: ReplicationGroup, host: ClientHost
) -> None:
    group = stack.resolve(host.security_group.security_group_id)
    reached = {
        json.dumps(rule["GroupId"])
        for rule in properties(stack, "AWS::EC2::SecurityGroupIngress")
        if rule["SourceSecurityGroupId"] == group
    }
    assert json.dumps(stack.resolve(cache.security_groups[0].security_group_id)) in reached
    assert any("SessionEndpoints" in one for one in reached)
    assert len(reached) == 2


def test_network_gets_the_endpoints_once(stack: cdk.Stack, network: RedisNetwork) -> None:
    for name in ("Host", "Other"):
        ClientHost(stack, name, network=network)
    endpoints = properties(stack, "AWS::EC2::VPCEndpoint")
    names = sorted(json.dumps(endpoint["ServiceName"]).rsplit(".", 1)[-1].strip('"]}') for endpoint in endpoints)
    assert names == ["s3", "ssm", "ssmmessages"]
    interfaces = [endpoint for endpoint in endpoints if endpoint["VpcEndpointType"] == "Interface"]
    # One subnet each: AWS charges by the zone, and the private DNS name works in the whole VPC.
    assert {len(endpoint["SubnetIds"]) for endpoint in interfaces} == {1}
    (packages,) = [endpoint for endpoint in endpoints if endpoint["VpcEndpointType"] == "Gateway"]
    assert len(packages["RouteTableIds"]) == len(network.subnets)
    (statement,) = packages["PolicyDocument"]["Statement"]
    assert statement["Action"] == "s3:GetObject"
    assert ":s3:::al2023-repos-eu-west-1-*/*" in json.dumps(statement["Resource"])


def test_instance_is_created_after_the_route_to_its_packages(stack: cdk.Stack, host: ClientHost) -> None:
    (instance,) = template_of(stack).find_resources("AWS::EC2::Instance").values()
    gateways = template_of(stack).find_resources(
        "AWS::EC2::VPCEndpoint", {"Properties": {"VpcEndpointType": "Gateway"}}
    )
    assert set(gateways) <= set(instance["DependsOn"])


def test_start_writes_the_program_and_installs_the_client(stack: cdk.Stack, host: ClientHost) -> None:
    user_data = user_data_of(stack)
    every_start, first_start = (part.split("--+AWS+CDK")[0] for part in user_data.split("Content-Type: text/")[1:])
    # A replaced store restarts the instance with other settings: what the first start writes would be outdated.
    assert every_start.startswith("cloud-boothook")
    assert inspect.getsource(program).rstrip("\n") in every_start
    assert '"CDK_REDIS_REGION":"eu-west-1"' in every_start
    assert '"CDK_REDIS_AUTHENTICATION":"iam"' in every_start
    assert first_start.startswith("x-shellscript")
    assert first_start.rstrip().endswith("#!/bin/bash\ndnf install -y valkey")
    # EC2 takes 16 KiB. Each part is in Base64.
    assert len(user_data) * 4 / 3 < 16_000


def test_program_on_the_instance_is_for_its_python() -> None:
    source = inspect.getsource(program)
    ast.parse(source, feature_version=(3, 9))
    imported = {
        name.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for name in node.names
    }
    assert not {name.split(".")[0] for name in imported} & {"redis", "boto3", "botocore", "cdk_redis", "aws_cdk"}


def test_role_may_sign_in_and_run_sessions_only(stack: cdk.Stack, cache: ReplicationGroup, host: ClientHost) -> None:
    assert host.role.node.find_all()
    role = next(one for one in properties(stack, "AWS::IAM::Role") if one.get("Description") == "Host Stack/Host")
    assert "ManagedPolicyArns" not in role
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == [
        "ssm:UpdateInstanceInformation",
        *(f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")),
    ]
    (policy,) = [
        one for one in properties(stack, "AWS::IAM::Policy") if one["Roles"] == [stack.resolve(host.role.role_name)]
    ]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "elasticache:Connect"


def test_password_user_gets_the_secret_and_its_endpoint(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    host = ClientHost(stack, "Host", store=cache, user=cache.add_password_user("operator", READ))
    assert network.secrets_endpoint is not None
    (policy,) = [
        one for one in properties(stack, "AWS::IAM::Policy") if one["Roles"] == [stack.resolve(host.role.role_name)]
    ]
    actions = {action for one in policy["PolicyDocument"]["Statement"] for action in one["Action"]}
    assert "secretsmanager:GetSecretValue" in actions
    assert "CDK_REDIS_SECRET_ARN" in user_data_of(stack)


@pytest.mark.parametrize("kind", [ReplicationGroup, ServerlessCache, MemoryDbCluster])
def test_every_kind_of_store_can_be_reached(kind: type[Any], stack: cdk.Stack, network: RedisNetwork) -> None:
    store = kind(stack, "Store", network=network)
    ClientHost(stack, "Host", store=store, user=store.add_iam_user("operator", READ))
    assert f'"CDK_REDIS_SERVICE":"{store.service.name}"' in user_data_of(stack)


def test_store_with_open_access_needs_no_user(stack: cdk.Stack, network: RedisNetwork) -> None:
    store = MemoryDbCluster(stack, "Store", network=network, unsafe_open_access=True)
    ClientHost(stack, "Host", store=store)
    assert '"CDK_REDIS_AUTHENTICATION":"none"' in user_data_of(stack)


def test_host_of_a_network_gets_stores_by_grants(stack: cdk.Stack, network: RedisNetwork) -> None:
    host = ClientHost(stack, "Host", network=network)
    cache = ReplicationGroup(stack, "Cache", network=network)
    cache.grant_connect(host, user=cache.add_iam_user("operator", READ))
    assert "connect-to-store" not in user_data_of(stack)
    assert "document-name" not in host.login_command
    policies = json.dumps(properties(stack, "AWS::IAM::Policy"))
    assert "elasticache:Connect" in policies


@pytest.mark.parametrize("kind", ["network", "iam", "password"])
def test_host_in_another_stack_locks_neither_the_store_nor_the_network(kind: str) -> None:
    app = cdk.App(context={"@aws-cdk/core:defaultCrossStackReferences": "strong"})
    stack, other = (
        cdk.Stack(app, name, env=cdk.Environment(account="111122223333", region="eu-west-1"))
        for name in ("Stack", "Other")
    )
    network = RedisNetwork(stack, "Network")
    if kind == "network":
        ClientHost(other, "Host", network=network)
    else:
        cache = ReplicationGroup(stack, "Cache", network=network)
        user = cache.add_iam_user("it", READ) if kind == "iam" else cache.add_password_user("it", READ)
        host = ClientHost(other, "Host", store=cache, user=user)
        people = cdk.Stack(app, "People", env=cdk.Environment(account="111122223333", region="eu-west-1"))
        host.grant_login(iam.Role(people, "Person", assumed_by=iam.AccountRootPrincipal()))
    templates = [one.template for one in app.synth().stacks]
    assert "Fn::ImportValue" not in json.dumps(templates)
    assert '"Export"' not in json.dumps(templates)


def test_login_is_granted_on_this_instance_and_the_persons_sessions(stack: cdk.Stack, host: ClientHost) -> None:
    person = iam.Role(stack, "Person", assumed_by=iam.AccountRootPrincipal())
    host.grant_login(person).assert_success()
    (policy,) = [
        one for one in properties(stack, "AWS::IAM::Policy") if one["Roles"] == [stack.resolve(person.role_name)]
    ]
    start, own = policy["PolicyDocument"]["Statement"]
    assert start["Action"] == "ssm:StartSession"
    assert start["Condition"] == {"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}
    resources = [json.dumps(resource) for resource in start["Resource"]]
    assert ":ec2:eu-west-1:111122223333:instance/" in resources[0]
    assert ":ssm:eu-west-1::document/AWS-StartInteractiveCommand" in resources[1]
    assert ":ssm:eu-west-1:111122223333:document/SSM-SessionManagerRunShell" in resources[2]
    assert own["Action"] == ["ssm:ResumeSession", "ssm:TerminateSession"]
    assert "session/${aws:userid}-*" in json.dumps(own["Resource"])


def test_output_has_the_command_that_opens_a_prompt(stack: cdk.Stack, host: ClientHost) -> None:
    (output,) = [one for name, one in template_of(stack).to_json()["Outputs"].items() if "Command" in name]
    assert output["Value"] == stack.resolve(host.login_command)
    first, instance, last = output["Value"]["Fn::Join"][1]
    assert first == "aws ssm start-session --region eu-west-1 --target "
    assert instance == stack.resolve(host.instance.instance_id)
    assert last == " --document-name AWS-StartInteractiveCommand --parameters command=connect-to-store"


def test_existing_vpc_keeps_its_endpoints(stack: cdk.Stack) -> None:
    network = RedisNetwork(stack, "Network", vpc=ec2.Vpc(stack, "Vpc", max_azs=2))
    ClientHost(stack, "Host", network=network, endpoints=False)
    template_of(stack).resource_count_is("AWS::EC2::VPCEndpoint", 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "network: got None, but there is none; give `network`: the instance is in its subnets"),
        (
            {"instance_type": "t3.micro"},
            "instance_type: got 't3.micro', but the image is for Arm, whose instance families have a g behind the "
            "number; give a type such as t4g.micro or m7g.medium",
        ),
    ],
)
def test_invalid_arguments_are_errors(arguments: dict[str, Any], message: str, stack: cdk.Stack) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ClientHost(stack, "Host", **arguments)
    assert message in str(caught.value)
    assert stack.node.try_find_child("Host") is None


def test_store_without_a_user_is_an_error(stack: cdk.Stack, cache: ReplicationGroup) -> None:
    with pytest.raises(ConfigurationError, match="user: got None, but clients sign in as a user; add one with"):
        ClientHost(stack, "Host", store=cache)


def test_user_without_a_store_is_an_error(stack: cdk.Stack, network: RedisNetwork, cache: ReplicationGroup) -> None:
    with pytest.raises(ConfigurationError, match="there is no `store` to sign in to; give the `store` as well"):
        ClientHost(stack, "Host", network=network, user=cache.add_iam_user("operator", READ))


def test_existing_vpc_without_a_choice_is_an_error(stack: cdk.Stack) -> None:
    network = RedisNetwork(stack, "Network", vpc=ec2.Vpc(stack, "Vpc", max_azs=2))
    with pytest.raises(
        ConfigurationError, match="endpoints: got None, but the instance needs a way to Systems Manager"
    ):
        ClientHost(stack, "Host", network=network)
