"""What a MemoryDB cluster becomes, and what it refuses."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations, Match, Template

from cdk_redis import (
    AccessString,
    Acl,
    Authentication,
    ConfigurationError,
    Endpoint,
    Engine,
    IpDiscovery,
    MaintenanceWindow,
    MemoryDbCluster,
    MemoryDbParameterGroup,
    MemoryDbUser,
    NetworkType,
    RedisNetwork,
    Restore,
    SmokeTest,
    Snapshots,
    SnapshotWindow,
)
from cdk_redis._memorydb.subnet_group import MemoryDbSubnetGroup

CLUSTER = "AWS::MemoryDB::Cluster"


def _properties(stack: cdk.Stack, resource_type: str = CLUSTER) -> dict[str, object]:
    (resource,) = Template.from_stack(stack).find_resources(resource_type).values()
    return resource["Properties"]


def test_the_defaults_are_secure_and_durable(stack: cdk.Stack, network: RedisNetwork) -> None:
    MemoryDbCluster(stack, "Ledger", network=network)

    Template.from_stack(stack).has_resource(
        CLUSTER,
        {
            "Properties": Match.object_like(
                {
                    "Engine": "valkey",
                    "EngineVersion": "7.3",
                    "TLSEnabled": True,
                    "NumShards": 1,
                    "NumReplicasPerShard": 1,
                    "SnapshotRetentionLimit": 7,
                    "AutoMinorVersionUpgrade": True,
                    "ACLName": {"Ref": Match.string_like_regexp("Acl")},
                    "ParameterGroupName": {"Ref": Match.string_like_regexp("Parameters")},
                    "SubnetGroupName": {"Ref": Match.string_like_regexp("Subnets")},
                    "FinalSnapshotName": Match.any_value(),
                }
            ),
            # The type takes no snapshot policy: the final snapshot has a property of its own.
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
        },
    )


def test_the_final_snapshot_is_named_after_this_very_stack(stack: cdk.Stack, network: RedisNetwork) -> None:
    MemoryDbCluster(stack, "Ledger", network=network)

    properties = _properties(stack)
    assert str(properties["ClusterName"]) in str(properties["FinalSnapshotName"])
    assert "AWS::StackId" in str(properties["FinalSnapshotName"])


@pytest.mark.parametrize(
    ("policy", "deletion"), [(cdk.RemovalPolicy.RETAIN, "Retain"), (cdk.RemovalPolicy.DESTROY, "Delete")]
)
def test_without_a_snapshot_policy_there_is_no_final_snapshot(
    stack: cdk.Stack, network: RedisNetwork, policy: cdk.RemovalPolicy, deletion: str
) -> None:
    MemoryDbCluster(stack, "Ledger", network=network, removal_policy=policy)

    Template.from_stack(stack).has_resource(
        CLUSTER,
        {"DeletionPolicy": deletion, "Properties": Match.object_like({"FinalSnapshotName": Match.absent()})},
    )


def test_every_parameter_reaches_the_template(stack: cdk.Stack, network: RedisNetwork) -> None:
    key = kms.Key(stack, "Key")
    MemoryDbCluster(
        stack,
        "Ledger",
        network=network,
        engine=Engine.redis("7.1"),
        node_type="db.r6gd.xlarge",
        shards=3,
        replicas=2,
        port=6380,
        kms_key=key,
        parameters={"maxmemory-policy": "allkeys-lru"},
        snapshots=Snapshots.daily(retention_days=15, window=SnapshotWindow("03:00-04:00")),
        maintenance_window=MaintenanceWindow("sun:05:00-sun:06:00"),
        auto_minor_version_upgrade=False,
        cluster_name="ledger",
        description="Ledger",
    )

    Template.from_stack(stack).has_resource_properties(
        CLUSTER,
        {
            "ClusterName": "ledger",
            "Description": "Ledger",
            "Engine": "redis",
            "EngineVersion": "7.1",
            "NodeType": "db.r6gd.xlarge",
            "DataTiering": "true",
            "NumShards": 3,
            "NumReplicasPerShard": 2,
            "Port": 6380,
            "KmsKeyId": {"Fn::GetAtt": [Match.string_like_regexp("^Key"), "Arn"]},
            "SnapshotRetentionLimit": 15,
            "SnapshotWindow": "03:00-04:00",
            "MaintenanceWindow": "sun:05:00-sun:06:00",
            "AutoMinorVersionUpgrade": False,
        },
    )
    Template.from_stack(stack).has_resource_properties(
        "AWS::MemoryDB::ParameterGroup",
        {"Family": "memorydb_redis7", "Parameters": {"maxmemory-policy": "allkeys-lru"}},
    )


def _generated_name(**given: object) -> str:
    stack = cdk.Stack(cdk.App(), "Stack")
    MemoryDbCluster(stack, "Ledger", network=RedisNetwork(stack, "Network"), **given)  # type: ignore[arg-type]
    return str(_properties(stack)["ClusterName"])


def test_the_generated_name_stays_when_the_cluster_stays() -> None:
    assert _generated_name() == _generated_name(shards=3, replicas=2, node_type="db.r7g.large")


@pytest.mark.parametrize(
    "given",
    [
        {"port": 6380},
        {"node_type": "db.r6gd.xlarge"},
        {"restore": Restore.from_snapshot("before")},
        {"restore": Restore.from_s3("arn:aws:s3:::backups/ledger.rdb")},
        {"unsafe_open_access": True, "unsafe_plaintext": True},
    ],
    ids=str,
)
def test_the_generated_name_is_new_when_the_cluster_must_be_replaced(given: dict[str, object]) -> None:
    assert _generated_name() != _generated_name(**given)


def test_the_generated_name_is_new_with_another_key_vpc_or_subnet_group() -> None:
    def name(key: str | None = None, vpc: str = "Network", subnets: str | None = None) -> str:
        stack = cdk.Stack(cdk.App(), "Stack")
        cluster = MemoryDbCluster(
            stack,
            "Ledger",
            network=RedisNetwork(stack, vpc),
            kms_key=kms.Key.from_key_arn(stack, "Key", key) if key else None,
            subnet_group=MemoryDbSubnetGroup.from_subnet_group_name(stack, "Subnets", subnets) if subnets else None,
        )
        return str(cluster.resource.cluster_name)

    key = "arn:aws:kms:eu-west-1:111122223333:key/"
    names = [name(), name(f"{key}one"), name(f"{key}two"), name(vpc="Other"), name(subnets="one"), name(subnets="two")]
    assert len(set(names)) == len(names)


def test_each_restore_gets_a_name_of_its_own() -> None:
    assert _generated_name(restore=Restore.from_snapshot("a")) != _generated_name(restore=Restore.from_snapshot("b"))


def test_a_restore_reaches_the_template(stack: cdk.Stack, network: RedisNetwork) -> None:
    MemoryDbCluster(stack, "One", network=network, cluster_name="one", restore=Restore.from_snapshot("before"))
    MemoryDbCluster(
        stack, "Two", network=network, cluster_name="two", restore=Restore.from_s3("arn:aws:s3:::backups/ledger.rdb")
    )

    template = Template.from_stack(stack)
    template.has_resource_properties(
        CLUSTER, {"ClusterName": "one", "SnapshotName": "before", "SnapshotArns": Match.absent()}
    )
    template.has_resource_properties(
        CLUSTER,
        {"ClusterName": "two", "SnapshotName": Match.absent(), "SnapshotArns": ["arn:aws:s3:::backups/ledger.rdb"]},
    )


def test_a_topic_reaches_the_template(stack: cdk.Stack, network: RedisNetwork) -> None:
    topic = sns.Topic(stack, "Topic")
    MemoryDbCluster(stack, "Ledger", network=network, notification_topic=topic)

    assert _properties(stack)["SnsTopicArn"] == {"Ref": stack.get_logical_id(topic.node.default_child)}


def test_ipv6_is_for_subnets_that_have_it(stack: cdk.Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-1",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        isolated_subnet_ids=["subnet-1", "subnet-2"],
    )
    MemoryDbCluster(
        stack,
        "Ledger",
        network=RedisNetwork(stack, "Network", vpc=vpc),
        network_type=NetworkType.DUAL_STACK,
        ip_discovery=IpDiscovery.IPV6,
    )

    properties = _properties(stack)
    assert (properties["NetworkType"], properties["IpDiscovery"]) == ("dual_stack", "ipv6")


def test_what_is_given_is_used_and_not_made(stack: cdk.Stack, network: RedisNetwork) -> None:
    acl = Acl(stack, "Acl")
    parameters = MemoryDbParameterGroup(stack, "Parameters", engine=Engine.valkey("7.3"))
    ledger = MemoryDbCluster(stack, "Ledger", network=network, acl=acl, parameter_group=parameters)

    properties = _properties(stack)
    assert (ledger.acl, ledger.parameter_group) == (acl, parameters)
    assert properties["ACLName"] == {"Ref": stack.get_logical_id(acl.resource)}
    assert properties["ParameterGroupName"] == {"Ref": stack.get_logical_id(parameters.resource)}


def test_clusters_that_share_a_list_share_its_users(stack: cdk.Stack, network: RedisNetwork) -> None:
    known = MemoryDbUser(
        stack, "Known", access=AccessString.read_only("*"), authentication=Authentication.iam(), user_name="known"
    )
    acl = Acl(stack, "Acl", users=[known])
    one, two = (MemoryDbCluster(stack, name, network=network, acl=acl) for name in ("One", "Two"))
    app = one.add_iam_user("app", AccessString.read_write("app:*"))
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))

    assert one.users == two.users == acl.users == [known, app]
    for user in (known, app):
        two.grant_connect(role, user=user)
    Template.from_stack(stack).resource_count_is("AWS::MemoryDB::ACL", 1)


def test_an_imported_list_takes_no_users(stack: cdk.Stack, network: RedisNetwork) -> None:
    acl = Acl.from_acl_name(stack, "Acl", "theirs")
    ledger = MemoryDbCluster(stack, "Ledger", network=network, acl=acl)

    assert _properties(stack)["ACLName"] == "theirs"
    with pytest.raises(ConfigurationError, match="the list is imported"):
        ledger.add_iam_user("app", AccessString.read_only("*"))


def test_plaintext_is_asked_for_by_name_and_warned_of(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network, unsafe_open_access=True, unsafe_plaintext=True)
    SmokeTest(stack, "SmokeTest", target=ledger)

    assert _properties(stack)["TLSEnabled"] is False
    Annotations.from_stack(stack).has_warning("/Stack/Ledger", Match.string_like_regexp("listens on the network"))
    Template.from_stack(stack).has_resource_properties(
        "AWS::Lambda::Function", {"Environment": {"Variables": Match.object_like({"CDK_REDIS_TLS": "false"})}}
    )


def test_tags_reach_everything_that_the_cluster_makes(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network)
    ledger.add_iam_user("app", AccessString.read_only("*"))
    cdk.Tags.of(ledger).add("team", "ledger")

    for kind in ("Cluster", "ACL", "User", "ParameterGroup", "SubnetGroup"):
        assert {"Key": "team", "Value": "ledger"} in _properties(stack, f"AWS::MemoryDB::{kind}")["Tags"]  # type: ignore[operator]


@pytest.mark.parametrize(("region", "warned"), [("eu-west-1", False), ("mx-central-1", True), (None, False)])
def test_a_region_where_memorydb_is_not_known_to_run_is_warned_of(region: str | None, warned: bool) -> None:
    stack = cdk.Stack(cdk.App(), "Stack", env=cdk.Environment(region=region))
    MemoryDbCluster(stack, "Ledger", network=RedisNetwork(stack, "Network"))

    warnings = Annotations.from_stack(stack).find_warning(
        "/Stack/Ledger", Match.string_like_regexp("^MemoryDB is not known to run in mx-central-1, but in us-east-2, ")
    )
    assert len(warnings) == (1 if warned else 0)


def test_the_generated_names_are_legal(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "ALedgerWithAVeryLongNameThatGoesOnAndOnAndOnAndOn", network=network)
    ledger.add_iam_user("app", AccessString.read_only("*"))

    names = [
        (_properties(stack)["ClusterName"], 40),
        (_properties(stack, "AWS::MemoryDB::ACL")["ACLName"], 40),
        (_properties(stack, "AWS::MemoryDB::User")["UserName"], 40),
        (_properties(stack, "AWS::MemoryDB::ParameterGroup")["ParameterGroupName"], 255),
    ]
    for name, longest in names:
        assert isinstance(name, str)
        assert name == name.lower()
        assert len(name) <= longest
        assert "--" not in name
        assert name[0].isalpha()
        assert name[-1] != "-"


def test_a_name_given_by_hand_is_honoured_with_a_warning(stack: cdk.Stack, network: RedisNetwork) -> None:
    MemoryDbCluster(stack, "Ledger", network=network, cluster_name="ledger")

    Annotations.from_stack(stack).has_warning("/Stack/Ledger", Match.string_like_regexp("named|cluster_name"))


def test_open_access_is_asked_for_by_name_and_warned_of(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network, unsafe_open_access=True)

    assert _properties(stack)["ACLName"] == "open-access"
    Annotations.from_stack(stack).has_warning("/Stack/Ledger", Match.string_like_regexp("anyone"))
    with pytest.raises(ConfigurationError, match="a cluster with open access has no users"):
        ledger.add_iam_user("app", AccessString.read_only("*"))


WRONG = {
    "shards": ({"shards": 0}, "shards: got 0, but a store has 1 to 500 shards"),
    "replicas": ({"replicas": 6}, "replicas: got 6, but a shard has 0 to 5 replicas; add shards to spread the load"),
    "port": ({"port": 80}, "port: got 80, but the services listen on 1150 to 65535, 8005 excepted"),
    "node type of the other service": (
        {"node_type": "cache.r7g.large"},
        "node_type: got 'cache.r7g.large', but a node type here reads like 'db.r7g.large'",
    ),
    "name in upper case": (
        {"cluster_name": "Ledger"},
        "cluster_name: got 'Ledger', but a name has 1 to 40 lower-case letters, digits and single hyphens, "
        "begins with a letter and does not end with a hyphen",
    ),
    "name too long": (
        {"cluster_name": "l" * 41},
        f"cluster_name: got '{'l' * 41}', but a name has 1 to 40 lower-case letters, digits and single hyphens, "
        "begins with a letter and does not end with a hyphen",
    ),
    "plaintext with users": (
        {"unsafe_plaintext": True},
        "unsafe_plaintext: got True, but without TLS the service has no users; say `unsafe_open_access` as well",
    ),
    "discovery of addresses that are not there": (
        {"ip_discovery": IpDiscovery.IPV6},
        "ip_discovery: got 'ipv6', but the nodes have no such addresses with network_type ipv4; leave it out, or use "
        "NetworkType.DUAL_STACK",
    ),
    "windows that meet": (
        {
            "maintenance_window": MaintenanceWindow("sun:03:00-sun:04:00"),
            "snapshots": Snapshots.daily(window=SnapshotWindow("03:30-04:30")),
        },
        "maintenance_window: got 'sun:03:00-sun:04:00', but it must not overlap the snapshot window 03:30-04:30; "
        "move one of the two",
    ),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_aws_would_refuse_is_refused_at_once(
    stack: cdk.Stack, network: RedisNetwork, given: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MemoryDbCluster(stack, "Ledger", network=network, **given)  # type: ignore[arg-type]

    assert str(caught.value) == f"Stack/Ledger: {message}"


def test_a_list_and_open_access_exclude_each_other(stack: cdk.Stack, network: RedisNetwork) -> None:
    acl = Acl.from_acl_name(stack, "Acl", "theirs")

    with pytest.raises(ConfigurationError) as caught:
        MemoryDbCluster(stack, "Ledger", network=network, acl=acl, unsafe_open_access=True)
    assert str(caught.value) == (
        "Stack/Ledger: acl: got 'theirs', but a cluster with open access has no users; leave one of the two out"
    )


def test_a_parameter_group_is_of_the_engines_family_and_has_its_own_parameters(
    stack: cdk.Stack, network: RedisNetwork
) -> None:
    group = MemoryDbParameterGroup(stack, "Parameters", engine=Engine.redis("7.1"))

    with pytest.raises(ConfigurationError) as caught:
        MemoryDbCluster(stack, "Ledger", network=network, parameter_group=group, parameters={"timeout": "5"})
    assert str(caught.value) == (
        "Stack/Ledger: 2 problems\n"
        "  - parameters: got {'timeout': '5'}, but the parameter group has its own; leave one of the two out\n"
        "  - parameter_group: got 'memorydb_redis7', but valkey 7.3 is of the family memorydb_valkey7"
    )


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        (
            "arn:aws:sns:eu-west-2:111122223333:told",
            "notification_topic: got 'a topic in eu-west-2', but the store is in eu-west-1; use a topic of that Region",
        ),
        (
            "arn:aws:sns:eu-west-1:444455556666:told",
            "notification_topic: got 'a topic in 444455556666', but the store is in 111122223333; "
            "use a topic of that account",
        ),
        (
            "arn:aws:sns:eu-west-1:111122223333:told.fifo",
            "notification_topic: got 'Stack/Topic', but stores do not publish to FIFO topics; use a standard topic",
        ),
    ],
)
def test_a_topic_that_the_service_cannot_tell_is_refused(
    stack: cdk.Stack, network: RedisNetwork, arn: str, message: str
) -> None:
    topic = sns.Topic.from_topic_arn(stack, "Topic", arn)

    with pytest.raises(ConfigurationError) as caught:
        MemoryDbCluster(stack, "Ledger", network=network, notification_topic=topic)
    assert str(caught.value) == f"Stack/Ledger: {message}"


def test_an_engine_of_the_other_service_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    with pytest.raises(ConfigurationError, match="MemoryDB offers"):
        MemoryDbCluster(stack, "Ledger", network=network, engine=Engine.valkey("8.1"))


def test_an_iam_user_of_an_old_engine_is_refused(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network, engine=Engine.redis("6.2"))

    with pytest.raises(ConfigurationError, match=r"redis 6\.2 has no IAM users; use `add_password_user`"):
        ledger.add_iam_user("app", AccessString.read_only("*"))


def test_grant_connect_allows_both_arns(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network)
    user = ledger.add_iam_user("app", AccessString.read_write("app:*"))
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    ledger.grant_connect(role, user=user)

    (policy,) = [
        policy
        for policy in Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
        if "Connect" in str(policy)
    ]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "memorydb:Connect"
    store, of_user = (resource["Fn::Join"][1] for resource in statement["Resource"])
    assert store[-2:] == [":memorydb:eu-west-1:111122223333:cluster/", {"Ref": stack.get_logical_id(ledger.resource)}]
    assert of_user[-1] == f":memorydb:eu-west-1:111122223333:user/{user.user_name}"


def test_a_password_user_signs_in_with_a_generated_secret(stack: cdk.Stack, network: RedisNetwork) -> None:
    ledger = MemoryDbCluster(stack, "Ledger", network=network)
    ledger.add_password_user("legacy", AccessString.read_only("app:*"))

    mode = _properties(stack, "AWS::MemoryDB::User")["AuthenticationMode"]
    assert mode["Type"] == "password"  # type: ignore[index]
    assert "{{resolve:secretsmanager:" in str(mode)


def test_an_imported_cluster_can_be_connected_to(stack: cdk.Stack, network: RedisNetwork) -> None:
    app = MemoryDbUser.from_user_attributes(stack, "App", user_name="app")
    ledger = MemoryDbCluster.from_cluster_attributes(
        stack,
        "Ledger",
        cluster_name="ledger",
        endpoint=Endpoint("clustercfg.ledger.abc.memorydb.eu-west-1.amazonaws.com", 6379),
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Existing", "sg-0123456789abcdef0")],
        users=[app],
    )
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    ledger.grant_connect(role, user=app)

    assert "cluster/ledger" in str(Template.from_stack(stack).find_resources("AWS::IAM::Policy"))
    with pytest.raises(ConfigurationError, match="the store is imported"):
        ledger.add_iam_user("new", AccessString.read_only("*"))


def test_snapshots_are_off_only_if_asked_for(stack: cdk.Stack, network: RedisNetwork) -> None:
    MemoryDbCluster(stack, "Ledger", network=network, snapshots=Snapshots.off())

    assert _properties(stack)["SnapshotRetentionLimit"] == 0
