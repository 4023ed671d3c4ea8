"""The smoke test's function, its trigger, and what they read from the store."""

from __future__ import annotations

import json
from typing import cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Match, Template

from cdk_redis import (
    ConfigurationError,
    Endpoint,
    Engine,
    MemoryDbCluster,
    MultiRegionCluster,
    RedisNetwork,
    ReplicationGroup,
    SmokeTest,
)
from cdk_redis_runtime._client import environment

FUNCTION = "AWS::Lambda::Function"


def _function(template: Template) -> dict[str, object]:
    (function,) = template.find_resources(
        FUNCTION, {"Properties": {"Handler": "cdk_redis_runtime.smoke_lambda.handler"}}
    ).values()
    return function["Properties"]


def _environment(template: Template) -> dict[str, object]:
    return _function(template)["Environment"]["Variables"]  # type: ignore[index]


def _rules(template: Template, direction: str, group: object) -> list[tuple[object, int, int]]:
    """What a security group lets out or in: the other group, the first port and the last."""
    other = {"Egress": "DestinationSecurityGroupId", "Ingress": "SourceSecurityGroupId"}[direction]
    rules = [rule["Properties"] for rule in template.find_resources(f"AWS::EC2::SecurityGroup{direction}").values()]
    return [(rule[other], rule["FromPort"], rule["ToPort"]) for rule in rules if rule["GroupId"] == group]


def test_the_function_runs_in_the_stores_subnets_with_its_own_security_group(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)
    SmokeTest(stack, "SmokeTest", target=cache)

    template = Template.from_stack(stack)
    vpc = _function(template)["VpcConfig"]
    assert vpc["SubnetIds"] == [stack.resolve(subnet.subnet_id) for subnet in network.subnets]  # type: ignore[index]
    (group,) = vpc["SecurityGroupIds"]  # type: ignore[index]
    # It reaches the store at its port, and nothing else.
    groups = template.find_resources("AWS::EC2::SecurityGroup")
    assert "SecurityGroupEgress" not in groups[group["Fn::GetAtt"][0]]["Properties"]
    store = stack.resolve(cache.security_groups[0].security_group_id)
    assert _rules(template, "Egress", group) == [(store, 6379, 6379)]
    assert (group, 6379, 6379) in _rules(template, "Ingress", store)


def test_the_function_is_arm_and_its_timeouts_are_longer_than_the_checks(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network))

    template = Template.from_stack(stack)
    function = _function(template)
    assert (function["Architectures"], function["MemorySize"]) == (["arm64"], 512)
    # The checks end in 20 s, the function in 60 s, and the trigger that waits for it in 90 s.
    assert (_environment(template)[environment.BUDGET_SECONDS], function["Timeout"]) == ("20", 60)
    template.has_resource_properties("Custom::Trigger", {"Timeout": "90000"})
    template.has_resource("AWS::Logs::LogGroup", {"Properties": {"RetentionInDays": 30}, "DeletionPolicy": "Delete"})


def test_the_environment_has_the_endpoint_and_the_declared_topology(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, engine=Engine.redis("7.1"), shards=3, replicas=2)
    test = SmokeTest(stack, "SmokeTest", target=cache)

    variables = _environment(Template.from_stack(stack))
    assert test.user is not None
    assert variables | {environment.DIGEST: ""} == {
        environment.SERVICE: "elasticache",
        environment.STORE: {"Ref": "Cache18F6EE16"},
        environment.HOST: {"Fn::GetAtt": ["Cache18F6EE16", "ConfigurationEndPoint.Address"]},
        environment.PORT: {"Fn::GetAtt": ["Cache18F6EE16", "ConfigurationEndPoint.Port"]},
        environment.TLS: "true",
        environment.CLUSTER_MODE: "true",
        environment.AUTHENTICATION: "iam",
        environment.USER: test.user.user_name,
        environment.SECURITY_GROUPS: {"Fn::GetAtt": ["SmokeTestSecurityGroupDDF140D7", "GroupId"]},
        environment.STORE_SECURITY_GROUPS: stack.resolve(cache.security_groups[0].security_group_id),
        environment.ENGINE: "redis",
        environment.ENGINE_VERSION: "7.1",
        environment.SHARDS: "3",
        environment.REPLICAS: "2",
        environment.KEY_PREFIX: "cdk-redis-smoke:",
        environment.BUDGET_SECONDS: "20",
        environment.DIGEST: "",
    }


def test_only_a_declared_maxmemory_policy_is_in_the_environment(stack: cdk.Stack, network: RedisNetwork) -> None:
    parameters = {"maxmemory-policy": "allkeys-lru", "hash-max-listpack-entries": "64"}
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network, parameters=parameters))

    variables = _environment(Template.from_stack(stack))
    assert variables[environment.MAXMEMORY_POLICY] == "allkeys-lru"
    assert environment.LATENCY_LIMIT_MS not in variables


def test_the_latency_limit_is_in_the_environment_in_milliseconds(stack: cdk.Stack, network: RedisNetwork) -> None:
    limit = cdk.Duration.seconds(1)
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network), latency_limit=limit)

    assert _environment(Template.from_stack(stack))[environment.LATENCY_LIMIT_MS] == "1000"


@pytest.mark.parametrize("given", [0, 0.5, 1.5, 60_001])
def test_a_latency_limit_out_of_range_is_rejected(given: float, stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)

    with pytest.raises(ConfigurationError) as caught:
        SmokeTest(stack, "SmokeTest", target=cache, latency_limit=cdk.Duration.millis(given))

    assert str(caught.value) == (
        f"Stack/SmokeTest: latency_limit: got '{given:g} ms', but a median round trip takes 1 to 60000 whole "
        "milliseconds; use for example Duration.millis(100)"
    )


def test_the_user_of_an_engine_without_sharded_channels_has_no_commands_for_them(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, engine=Engine.redis("6.2"))
    SmokeTest(stack, "SmokeTest", target=cache)

    users = Template.from_stack(stack).find_resources("AWS::ElastiCache::User").values()
    strings = [user["Properties"]["AccessString"] for user in users]
    assert any("+publish" in access for access in strings)
    assert not any("spublish" in access or "ssubscribe" in access for access in strings)


def test_without_cluster_mode_the_environment_has_the_reader_endpoint(stack: cdk.Stack, network: RedisNetwork) -> None:
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network))

    variables = _environment(Template.from_stack(stack))
    assert variables[environment.READER_HOST] == {"Fn::GetAtt": ["Cache18F6EE16", "ReaderEndPoint.Address"]}


def test_its_user_can_access_the_keys_of_the_prefix_only(stack: cdk.Stack, network: RedisNetwork) -> None:
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network), key_prefix="probe:")

    Template.from_stack(stack).has_resource_properties(
        "AWS::ElastiCache::User", {"AccessString": Match.string_like_regexp(r"^on ~probe:\* &probe:\* \+")}
    )


@pytest.mark.parametrize(
    ("version", "rules"),
    [("6.0", ("~cdk-redis-smoke:*",)), ("6.2", ("&cdk-redis-smoke:*",)), ("7.1", ("&cdk-redis-smoke:*", "+spublish"))],
)
def test_the_access_string_has_only_rules_that_the_engine_knows(version: str, rules: tuple[str, ...]) -> None:
    stack = cdk.Stack(cdk.App(), "Stack")
    cache = ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"), engine=Engine.redis(version))
    SmokeTest(stack, "SmokeTest", target=cache)

    users = Template.from_stack(stack).find_resources("AWS::ElastiCache::User").values()
    (words,) = [text.split() for user in users if (text := user["Properties"]["AccessString"]).startswith("on")]
    assert set(rules) <= set(words)
    assert ("&cdk-redis-smoke:*" in words) is (version != "6.0")
    assert ("+spublish" in words) is (version == "7.1")


def test_its_role_can_connect_to_the_store_as_its_user_only(stack: cdk.Stack, network: RedisNetwork) -> None:
    SmokeTest(stack, "SmokeTest", target=MemoryDbCluster(stack, "Ledger", network=network))

    policies = Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    (policy,) = [policy for policy in policies if "Connect" in str(policy)]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "memorydb:Connect"
    assert len(statement["Resource"]) == 2


def test_without_iam_it_reads_a_password_through_an_interface_endpoint(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network, engine=Engine.redis("6.2"))
    SmokeTest(stack, "SmokeTest", target=cache)

    template = Template.from_stack(stack)
    variables = _environment(template)
    assert variables[environment.AUTHENTICATION] == "password"
    assert "Ref" in str(variables[environment.SECRET_ARN])
    (group,) = _function(template)["VpcConfig"]["SecurityGroupIds"]  # type: ignore[index]
    endpoint = stack.resolve(network.require_secrets_endpoint().connections.security_groups[0].security_group_id)
    assert (endpoint, 443, 443) in _rules(template, "Egress", group)
    assert _rules(template, "Ingress", endpoint) == [(group, 443, 443)]
    template.resource_count_is("AWS::EC2::VPCEndpoint", 1)
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": [
                    Match.object_like({"Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]})
                ]
            }
        },
    )


def test_a_store_with_open_access_is_tested_without_signing_in(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network, unsafe_open_access=True)
    test = SmokeTest(stack, "SmokeTest", target=ledger)

    assert test.user is None
    variables = _environment(Template.from_stack(stack))
    assert variables[environment.AUTHENTICATION] == "none"
    assert environment.USER not in variables


def test_the_trigger_waits_for_the_store_the_rules_and_the_policy(stack: cdk.Stack, network: RedisNetwork) -> None:
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network))

    template = Template.from_stack(stack)
    (trigger,) = template.find_resources("Custom::Trigger").values()
    resources = template.to_json()["Resources"]
    awaited = {resources[logical_id]["Type"] for logical_id in trigger["DependsOn"]}
    assert {"AWS::ElastiCache::ReplicationGroup", "AWS::ElastiCache::UserGroup", "AWS::IAM::Policy"} <= awaited
    # Both rules between the function and the store: what leaves the one, and what enters the other.
    (group,) = _function(template)["VpcConfig"]["SecurityGroupIds"]  # type: ignore[index]
    rules = {
        logical_id: resource["Type"]
        for logical_id, resource in resources.items()
        if resource["Type"] in ("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")
        and group in resource["Properties"].values()
    }
    assert sorted(rules.values()) == ["AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress"]
    assert rules.keys() <= set(trigger["DependsOn"])


def test_the_function_runs_in_the_networks_subnets_of_a_vpc_with_others(stack: cdk.Stack) -> None:
    kinds = [ec2.SubnetType.PUBLIC, ec2.SubnetType.PRIVATE_WITH_EGRESS, ec2.SubnetType.PRIVATE_ISOLATED]
    subnets = [ec2.SubnetConfiguration(name=kind.value, subnet_type=kind) for kind in kinds]
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2, subnet_configuration=subnets)
    network = RedisNetwork(stack, "Network", vpc=cast("ec2.IVpc", vpc))
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network))

    isolated = [stack.resolve(subnet.subnet_id) for subnet in vpc.isolated_subnets]
    assert _function(Template.from_stack(stack))["VpcConfig"]["SubnetIds"] == isolated  # type: ignore[index]


def test_the_role_is_deleted_after_the_network_interfaces(stack: cdk.Stack, network: RedisNetwork) -> None:
    test = SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network))

    assert test.function.role is not None
    role = stack.get_logical_id(test.function.role.node.default_child)  # type: ignore[arg-type]
    groups = Template.from_stack(stack).find_resources(
        "AWS::EC2::SecurityGroup", {"Properties": {"GroupDescription": "Smoke test of Stack/Cache"}}
    )
    (group,) = groups.values()
    assert role in group["DependsOn"]


@pytest.fixture(scope="module")
def templates() -> dict[str, Template]:
    """Network, store and smoke test in stacks of their own."""
    app = cdk.App()
    stacks = {name: cdk.Stack(app, name) for name in ("Net", "Store", "Test")}
    network = RedisNetwork(stacks["Net"], "Network")
    cache = ReplicationGroup(stacks["Store"], "Cache", network=network, shards=3)
    SmokeTest(stacks["Test"], "SmokeTest", target=cache)
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}


def test_in_a_stack_of_its_own_it_locks_nothing_in_the_stores_stack(templates: dict[str, Template]) -> None:
    outputs = templates["Store"].to_json()["Outputs"]

    assert outputs
    assert not [name for name, output in outputs.items() if "Export" in output]
    assert "Fn::GetStackOutput" in json.dumps(templates["Test"].to_json())


def test_in_a_stack_of_its_own_its_rules_are_defined_there(templates: dict[str, Template]) -> None:
    rules = templates["Test"].find_resources("AWS::EC2::SecurityGroupIngress").values()

    assert len(rules) == 1
    assert "SmokeTest" not in json.dumps(templates["Store"].find_resources("AWS::EC2::SecurityGroupIngress"))


def test_the_environment_has_the_security_groups_of_both_sides(stack: cdk.Stack, network: RedisNetwork) -> None:
    groups = [ec2.SecurityGroup(stack, name, vpc=network.vpc) for name in ("One", "Two")]
    SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network, security_groups=groups))

    function = _function(Template.from_stack(stack))
    variables = _environment(Template.from_stack(stack))
    assert [variables[environment.SECURITY_GROUPS]] == function["VpcConfig"]["SecurityGroupIds"]  # type: ignore[index]
    ids = [stack.resolve(group.security_group_id) for group in groups]
    assert variables[environment.STORE_SECURITY_GROUPS] == {"Fn::Join": ["", [ids[0], ",", ids[1]]]}


def test_a_stack_of_its_own_reads_the_security_groups_weakly(templates: dict[str, Template]) -> None:
    theirs = _environment(templates["Test"])[environment.STORE_SECURITY_GROUPS]
    assert list(theirs) == ["Fn::GetStackOutput"]  # type: ignore[call-overload]


def test_a_smoke_test_cannot_be_a_child_of_its_own_target(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)

    with pytest.raises(ConfigurationError) as caught:
        SmokeTest(cache, "SmokeTest", target=cache)

    assert str(caught.value) == (
        "Stack/Cache/SmokeTest: scope: got 'Stack/Cache', but a smoke test cannot be a child of its own target; "
        "define the smoke test in the store's scope, or in a later stack"
    )


def _canary(schedule: events.Schedule, **given: object) -> Template:
    stack = cdk.Stack(cdk.App(), "Stack")
    cache = ReplicationGroup(stack, "Cache", network=RedisNetwork(stack, "Network"))
    SmokeTest(
        stack,
        "SmokeTest",
        target=cache,
        schedule=schedule,
        alarm_topic=sns.Topic(stack, "Operators"),
        **given,  # type: ignore[arg-type]
    )
    return Template.from_stack(stack)


@pytest.fixture(scope="module")
def canary() -> Template:
    return _canary(events.Schedule.rate(cdk.Duration.minutes(5)))


def test_a_canary_is_the_same_function_on_a_schedule(canary: Template) -> None:
    (function,) = canary.find_resources(FUNCTION, {"Properties": {"Handler": "cdk_redis_runtime.smoke_lambda.handler"}})
    canary.has_resource_properties(
        "AWS::Events::Rule",
        {
            "ScheduleExpression": "rate(5 minutes)",
            "State": "ENABLED",
            "Targets": [
                Match.object_like(
                    {
                        "Arn": {"Fn::GetAtt": [function, "Arn"]},
                        "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0},
                    }
                )
            ],
        },
    )
    assert _environment(canary)[environment.METRICS_NAMESPACE] == "CdkRedis/SmokeTest"


def test_runs_of_a_canary_never_overlap_and_are_not_retried(canary: Template) -> None:
    assert _function(canary)["ReservedConcurrentExecutions"] == 1
    canary.has_resource_properties(
        "AWS::Lambda::EventInvokeConfig", {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    )


def test_the_alarm_goes_off_for_failed_checks_and_missing_runs(canary: Template) -> None:
    (topic,) = canary.find_resources("AWS::SNS::Topic")
    canary.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "Namespace": "CdkRedis/SmokeTest",
            "MetricName": "ChecksFailed",
            "Dimensions": [
                {"Name": "Service", "Value": "elasticache"},
                {"Name": "Store", "Value": {"Ref": "Cache18F6EE16"}},
            ],
            "Statistic": "Sum",
            "Period": 600,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "breaching",
            "AlarmActions": [{"Ref": topic}],
            "OKActions": [{"Ref": topic}],
        },
    )


def test_a_canary_starts_after_the_deploys_own_run(canary: Template) -> None:
    (trigger,) = canary.find_resources("Custom::Trigger")
    for kind in ("AWS::Events::Rule", "AWS::CloudWatch::Alarm"):
        (resource,) = canary.find_resources(kind).values()
        assert trigger in resource["DependsOn"]


def test_without_a_schedule_there_is_no_canary(stack: cdk.Stack, network: RedisNetwork) -> None:
    test = SmokeTest(stack, "SmokeTest", target=ReplicationGroup(stack, "Cache", network=network))

    template = Template.from_stack(stack)
    assert test.alarm is None
    for kind in ("AWS::Events::Rule", "AWS::CloudWatch::Alarm", "AWS::Lambda::EventInvokeConfig"):
        template.resource_count_is(kind, 0)
    assert "ReservedConcurrentExecutions" not in _function(template)
    assert environment.METRICS_NAMESPACE not in _environment(template)


def test_a_cron_schedule_takes_the_alarm_period_that_is_given() -> None:
    template = _canary(events.Schedule.cron(hour="4", minute="0"), alarm_period=cdk.Duration.days(2))

    template.has_resource_properties("AWS::CloudWatch::Alarm", {"Period": 2 * 24 * 60 * 60})


@pytest.mark.parametrize(
    ("schedule", "given", "message"),
    [
        (events.Schedule.cron(hour="4"), {}, "it is required if the schedule is not a rate"),
        (events.Schedule.rate(cdk.Duration.days(4)), {}, "11520 minutes.* CloudWatch takes whole minutes"),
        (
            events.Schedule.rate(cdk.Duration.minutes(1)),
            {"alarm_period": cdk.Duration.seconds(90)},
            "1.5 minutes.* CloudWatch takes whole minutes",
        ),
    ],
)
def test_an_alarm_period_that_cloudwatch_does_not_take_is_rejected(
    schedule: events.Schedule, given: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        _canary(schedule, **given)


def test_an_alarm_without_a_schedule_is_rejected(stack: cdk.Stack, network: RedisNetwork) -> None:
    cache = ReplicationGroup(stack, "Cache", network=network)

    with pytest.raises(
        ConfigurationError, match=r"alarm_topic: given without a schedule, but only a scheduled test has an alarm"
    ):
        SmokeTest(stack, "SmokeTest", target=cache, alarm_topic=sns.Topic(stack, "Operators"))


def test_an_imported_store_needs_a_network_for_the_function(stack: cdk.Stack) -> None:
    cache = ReplicationGroup.from_replication_group_attributes(
        stack,
        "Cache",
        replication_group_id="orders",
        endpoint=Endpoint("orders.abc.cache.amazonaws.com", 6379),
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Existing", "sg-0123456789abcdef0")],
    )

    with pytest.raises(ConfigurationError, match="it has no network; give `network` to the import"):
        SmokeTest(stack, "SmokeTest", target=cache)


def test_a_store_whose_keys_cannot_expire_is_rejected(stack: cdk.Stack, network: RedisNetwork) -> None:
    cluster = MultiRegionCluster(stack, "Everywhere")
    member = MemoryDbCluster(stack, "Member", network=network, multi_region=cluster)

    with pytest.raises(ConfigurationError) as caught:
        SmokeTest(stack, "SmokeTest", target=member)

    assert str(caught.value) == (
        "Stack/SmokeTest: target: got 'Stack/Member', but keys of Multi-Region clusters cannot expire, and a "
        "smoke test sets a time to live on its keys"
    )
