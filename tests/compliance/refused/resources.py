"""Resources of another Region, account, VPC or service than the store that uses them."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns

from cdk_redis import (
    Acl,
    Authentication,
    ElastiCacheParameterGroup,
    ElastiCacheSubnetGroup,
    ElastiCacheUser,
    ElastiCacheUserGroup,
    Endpoint,
    FailoverDrill,
    LogDelivery,
    MemoryDbParameterGroup,
    MemoryDbSubnetGroup,
    MemoryDbUser,
    RedisNetwork,
    ReplicationGroup,
    SmokeTest,
)
from tests.compliance.refused.rows import Accepted, Refused, Scene

_KEY = '"KMS key does not exist"'
_TOPIC = "https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html"
_LOGS = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Log_Delivery.html"
_LOG_KEYS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"
_GROUPS = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/SubnetGroups.html"
_MEMORYDB_GROUPS = "https://docs.aws.amazon.com/memorydb/latest/devguide/subnetgroups.html"
_PARAMETERS = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.html"
_RBAC = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html"
_ACLS = "https://docs.aws.amazon.com/memorydb/latest/devguide/clusters.acls.html"
_SECURITY = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html"
_SECURITY_LIMIT = "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html"
_PEERING = "https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html"
_SECRETS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html"
_ROTATION = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html"
_DESCRIBE_ALARMS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html"
_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html"
_LAMBDA_LOGS = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html"
_ALARMS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html"
_SEEDING = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/backups-seeding-redis.html"
_RESTORING = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/backups-restoring.html"
_ARNS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"
_ELSEWHERE = "999999999999"


def _key(it: Scene) -> Any:
    return kms.Key(it.other_stack(), "Key")


def _topic(it: Scene, *, region: str = "us-east-1", account: str = "111122223333") -> sns.Topic:
    return sns.Topic(it.other_stack(region, account), "Topic")


def _log_group(it: Scene, *, region: str = "us-east-1", account: str = "111122223333") -> logs.ILogGroup:
    return logs.LogGroup(it.other_stack(region, account), "Logs")


def _stream(it: Scene, region: str) -> firehose.IDeliveryStream:
    arn = f"arn:aws:firehose:{region}:111122223333:deliverystream/logs"
    return firehose.DeliveryStream.from_delivery_stream_arn(it.scope, "Stream", arn)


def _secret(it: Scene, region: str = "us-east-1", account: str = "111122223333") -> secretsmanager.ISecret:
    arn = f"arn:aws:secretsmanager:{region}:{account}:secret:password-AbCdEf"
    return secretsmanager.Secret.from_secret_complete_arn(it.scope, "Secret", arn)


def _security_group(it: Scene, id: str = "Given", group_id: str = "sg-0123456789abcdef0") -> ec2.ISecurityGroup:
    return ec2.SecurityGroup.from_security_group_id(it.scope, id, group_id)


def _foreign_security_group(it: Scene) -> ec2.ISecurityGroup:
    return ec2.SecurityGroup.from_security_group_id(it.other_stack(), "Given", "sg-0123456789abcdef0")


def _group_of_another_vpc(it: Scene) -> ec2.ISecurityGroup:
    return ec2.SecurityGroup(it.scope, "Given", vpc=ec2.Vpc(it.scope, "Vpc", max_azs=2, nat_gateways=0))


def _foreign_network(it: Scene) -> RedisNetwork:
    return RedisNetwork(it.other_stack(), "Network")


def _imported_vpc(it: Scene, region: str) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        it.scope,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        region=region,
        availability_zones=[f"{region}a", f"{region}b"],
        isolated_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    )


def _function(it: Scene, stack: cdk.Stack) -> lambda_.Function:
    network = RedisNetwork(stack, "Network")
    return lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): pass"),
        vpc=network.vpc,
        vpc_subnets=network.subnet_selection,
    )


def _connect_from_another_region(it: Scene) -> None:
    cache = it.group()
    user = cache.add_iam_user("app", "on ~* +@read")
    cache.grant_connect(_function(it, it.other_stack()), user=user)


def _alarm(it: Scene, id: str = "Alarm") -> cloudwatch.IAlarm:
    return cloudwatch.Alarm.from_alarm_name(it.scope, id, id)


def _canary(it: Scene, topic: Any) -> SmokeTest:
    schedule = events.Schedule.rate(cdk.Duration.minutes(5))
    return SmokeTest(it.scope, "Smoke", target=it.group(), schedule=schedule, alarm_topic=topic)


def _role(it: Scene, account: str) -> iam.IRole:
    return iam.Role.from_role_arn(it.scope, "Role", f"arn:aws:iam::{account}:role/smoke")


def _imported(it: Scene, **given: object) -> object:
    required = {
        "replication_group_id": "orders",
        "endpoint": Endpoint("orders.example.com", 6379),
        "security_groups": [_security_group(it, "Its")],
    }
    return ReplicationGroup.from_replication_group_attributes(it.scope, "Imported", **{**required, **given})


REFUSED = [
    # Topics.
    Refused(
        "A replication group's topic is in its Region.",
        lambda it: it.group(notification_topic=_topic(it)),
        "notification_topic: got 'a topic in us-east-1', but the store is in eu-west-1; use a topic of that Region",
        _TOPIC,
    ),
    Refused(
        "A replication group's topic is in its account.",
        lambda it: it.group(notification_topic=_topic(it, region="eu-west-1", account=_ELSEWHERE)),
        "notification_topic: got 'a topic in 999999999999', but the store is in 111122223333; use a topic "
        "of that account",
        _TOPIC,
    ),
    Refused(
        "A cluster's topic is in its Region.",
        lambda it: it.cluster(notification_topic=_topic(it)),
        "notification_topic: got 'a topic in us-east-1', but the store is in eu-west-1; use a topic of that Region",
        _TOPIC,
    ),
    Refused(
        "The Region in the ARN of an imported topic counts.",
        lambda it: it.cluster(
            notification_topic=sns.Topic.from_topic_arn(it.scope, "Topic", "arn:aws:sns:us-east-1:111122223333:alerts")
        ),
        "notification_topic: got 'a topic in us-east-1', but the store is in eu-west-1; use a topic of that Region",
        _TOPIC,
    ),
    Refused(
        "ElastiCache publishes to standard topics.",
        lambda it: it.group(notification_topic=sns.Topic(it.scope, "Topic", fifo=True)),
        "notification_topic: got '.../Topic', but stores do not publish to FIFO topics; use a standard topic",
        _TOPIC,
    ),
    Refused(
        "ElastiCache cannot publish to an encrypted topic.",
        lambda it: it.group(notification_topic=sns.Topic(it.scope, "Topic", master_key=kms.Key(it.scope, "Key"))),
        "notification_topic: got '.../Topic', but ElastiCache cannot publish to an encrypted topic: its "
        "messages would be lost; use a topic without `master_key`",
        "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ElastiCacheSNS.html",
    ),
    Refused(
        "The topic of a smoke test's alarm is in the Region of the alarm.",
        lambda it: _canary(it, _topic(it)),
        "alarm_topic: got 'a topic in us-east-1', but the alarm is in eu-west-1; use a topic of that Region",
        _ALARMS,
    ),
    # Logs.
    Refused(
        "The log group of a log is in the store's Region.",
        lambda it: it.group(log_delivery=[LogDelivery.slow_log(log_group=_log_group(it))]),
        "log_group: got 'a log group in us-east-1', but the store is in eu-west-1; use a log group of that Region",
        _LOGS,
    ),
    Refused(
        "The log group of a log is in the store's account.",
        lambda it: it.group(
            log_delivery=[LogDelivery.engine_log(log_group=_log_group(it, region="eu-west-1", account=_ELSEWHERE))]
        ),
        "log_group: got 'a log group in 999999999999', but the store is in 111122223333; use a log group "
        "of that account",
        _LOGS,
    ),
    Refused(
        "The Firehose stream of a log is in the store's Region.",
        lambda it: it.group(log_delivery=[LogDelivery.slow_log(delivery_stream=_stream(it, "us-east-1"))]),
        "delivery_stream: got 'a Firehose stream in us-east-1', but the store is in eu-west-1; use a "
        "Firehose stream of that Region",
        _LOGS,
    ),
    Refused(
        "The key of a log group is in its Region.",
        lambda it: it.group(log_delivery=[LogDelivery.slow_log(encryption_key=_key(it))]),
        "encryption_key: got 'a key in us-east-1', but the store is in eu-west-1; use a key of that Region",
        _LOG_KEYS,
    ),
    Refused(
        "Each log has one destination.",
        lambda it: it.group(log_delivery=[LogDelivery.slow_log(), LogDelivery.slow_log()]),
        "log_delivery: got 'slow-log', but a log has one destination, and this one is listed twice",
        _LOGS,
    ),
    Refused(
        "The slow log needs Redis OSS 6.0.",
        lambda it: it.group(
            engine="redis:5.0.6",
            authentication="auth-token",
            log_delivery=[LogDelivery.slow_log()],
        ),
        "log_delivery: got 'slow-log', but redis 5.0.6 does not have this log; use Valkey, or Redis OSS 6.0 or newer",
        _LOGS,
    ),
    Refused(
        "The engine log needs Redis OSS 6.2.",
        lambda it: it.group(engine="redis:6.0", log_delivery=[LogDelivery.engine_log()]),
        "log_delivery: got 'engine-log', but redis 6.0 does not have this log; use Valkey, or Redis OSS 6.2 or newer",
        _LOGS,
    ),
    Refused(
        "A log goes to a log group or to a stream.",
        lambda it: LogDelivery.slow_log(
            log_group=logs.LogGroup(it.scope, "Logs"), delivery_stream=_stream(it, "eu-west-1")
        ),
        "delivery_stream: got '.../Stream', but a log has one destination, and `log_group` is given; choose one",
        _LOGS,
    ),
    Refused(
        "Only a new log group takes a retention.",
        lambda it: LogDelivery.slow_log(
            log_group=logs.LogGroup(it.scope, "Logs"), retention=logs.RetentionDays.ONE_DAY
        ),
        "retention: got 'a value', but it is for a new log group, and a destination is given; leave it "
        "out, or set it on the destination",
        "the library",
    ),
    # Subnet groups.
    Refused(
        "A replication group has a subnet group of ElastiCache.",
        lambda it: it.group(subnet_group=MemoryDbSubnetGroup(it.scope, "Subnets", network=it.network)),
        "subnet_group: got '.../Subnets', but it is a group of MemoryDB; give the store a subnet group of ElastiCache",
        _GROUPS,
    ),
    Refused(
        "A cluster has a subnet group of MemoryDB.",
        lambda it: it.cluster(subnet_group=ElastiCacheSubnetGroup(it.scope, "Subnets", network=it.network)),
        "subnet_group: got '.../Subnets', but it is a group of ElastiCache; give the store a subnet group of MemoryDB",
        _MEMORYDB_GROUPS,
    ),
    Refused(
        "An imported subnet group is of the store's service, too.",
        lambda it: it.cluster(
            subnet_group=ElastiCacheSubnetGroup.from_subnet_group_name(it.scope, "Subnets", "subnets")
        ),
        "subnet_group: got '.../Subnets', but it is a group of ElastiCache; give the store a subnet group of MemoryDB",
        _MEMORYDB_GROUPS,
    ),
    Refused(
        "A replication group's subnet group is in its Region.",
        lambda it: it.group(
            subnet_group=ElastiCacheSubnetGroup.from_subnet_group_name(it.other_stack(), "Subnets", "subnets")
        ),
        "subnet_group: got 'a subnet group in us-east-1', but the store is in eu-west-1; use a subnet "
        "group of that Region",
        _GROUPS,
    ),
    Refused(
        "A cluster's subnet group is in its account.",
        lambda it: it.cluster(
            subnet_group=MemoryDbSubnetGroup.from_subnet_group_name(
                it.other_stack("eu-west-1", _ELSEWHERE), "Subnets", "subnets"
            )
        ),
        "subnet_group: got 'a subnet group in 999999999999', but the store is in 111122223333; use a "
        "subnet group of that account",
        _MEMORYDB_GROUPS,
    ),
    Refused(
        "The name of a subnet group is in lower case.",
        lambda it: ElastiCacheSubnetGroup.from_subnet_group_name(it.scope, "Subnets", "Orders"),
        "name: got 'Orders', but a name has 1 to 255 lower-case letters, digits and hyphens; the services "
        "store names in lower case",
        "https://github.com/aws/aws-cdk/issues/4411",
    ),
    # Parameter groups.
    Refused(
        "A cluster has a parameter group of MemoryDB.",
        lambda it: it.cluster(parameter_group=ElastiCacheParameterGroup(it.scope, "Parameters", cluster_mode=True)),
        "parameter_group: got 'valkey8', but it is a group of ElastiCache; give the store a parameter "
        "group of MemoryDB",
        _PARAMETERS,
    ),
    Refused(
        "A replication group has a parameter group of ElastiCache.",
        lambda it: it.group(parameter_group=MemoryDbParameterGroup(it.scope, "Parameters")),
        "parameter_group: got 'memorydb_valkey7', but it is a group of MemoryDB; give the store a "
        "parameter group of ElastiCache",
        _PARAMETERS,
    ),
    Refused(
        "A replication group's parameter group is in its Region.",
        lambda it: it.group(
            parameter_group=ElastiCacheParameterGroup.from_parameter_group_name(it.other_stack(), "Parameters", "mine")
        ),
        "parameter_group: got 'a parameter group in us-east-1', but the store is in eu-west-1; use a "
        "parameter group of that Region",
        _PARAMETERS,
    ),
    Refused(
        "A cluster's parameter group is in its account.",
        lambda it: it.cluster(
            parameter_group=MemoryDbParameterGroup.from_parameter_group_name(
                it.other_stack("eu-west-1", _ELSEWHERE), "Parameters", "mine"
            )
        ),
        "parameter_group: got 'a parameter group in 999999999999', but the store is in 111122223333; use a "
        "parameter group of that account",
        _PARAMETERS,
    ),
    # User groups and ACLs.
    Refused(
        "A replication group has a user group, and no ACL of MemoryDB.",
        lambda it: it.group(user_group=Acl(it.scope, "Acl")),
        "user_group: got a value of type Acl, but it takes IUserGroup",
        _RBAC,
    ),
    Refused(
        "A cluster has an ACL, and no user group of ElastiCache.",
        lambda it: it.cluster(acl=ElastiCacheUserGroup(it.scope, "Group", engine="valkey:8.1")),
        "acl: got a value of type ElastiCacheUserGroup, but it takes IAcl",
        _ACLS,
    ),
    Refused(
        "A replication group's user group is in its Region.",
        lambda it: it.group(user_group=ElastiCacheUserGroup.from_user_group_id(it.other_stack(), "Group", "group")),
        "user_group: got 'a user group in us-east-1', but the store is in eu-west-1; use a user group of that Region",
        _RBAC,
    ),
    Refused(
        "A serverless cache's user group is in its Region.",
        lambda it: it.serverless(
            user_group=ElastiCacheUserGroup.from_user_group_id(it.other_stack(), "Group", "group")
        ),
        "user_group: got 'a user group in us-east-1', but the store is in eu-west-1; use a user group of that Region",
        _RBAC,
    ),
    Refused(
        "A cluster's ACL is in its account.",
        lambda it: it.cluster(acl=Acl.from_acl_name(it.other_stack("eu-west-1", _ELSEWHERE), "Acl", "list")),
        "acl: got 'an ACL in 999999999999', but the store is in 111122223333; use an ACL of that account",
        _ACLS,
    ),
    # Security groups.
    Refused(
        "A store has at least one security group.",
        lambda it: it.group(security_groups=[]),
        "security_groups: got [], but it is a list of one or more security groups; leave it out to create one",
        _SECURITY,
    ),
    Refused(
        "Each security group of a replication group is listed once.",
        lambda it: it.group(security_groups=[_security_group(it, "One"), _security_group(it, "Two")]),
        "security_groups[1]: got '.../Two', but it is in the list already; list each group once",
        _SECURITY,
    ),
    Refused(
        "Each security group of a serverless cache is listed once.",
        lambda it: it.serverless(security_groups=[_security_group(it, "One"), _security_group(it, "Two")]),
        "security_groups[1]: got '.../Two', but it is in the list already; list each group once",
        _SECURITY,
    ),
    Refused(
        "Each security group of a cluster is listed once.",
        lambda it: it.cluster(security_groups=[_security_group(it, "One")] * 2),
        "security_groups[1]: got '.../One', but it is in the list already; list each group once",
        _SECURITY,
    ),
    Refused(
        "A network interface has up to 16 security groups.",
        lambda it: it.group(security_groups=[_security_group(it, f"Group{n}", f"sg-{n:017x}") for n in range(17)]),
        "security_groups: got '17 security groups', but a network interface has up to 16; merge some of them",
        _SECURITY_LIMIT,
    ),
    Refused(
        "A replication group's security group is in its Region.",
        lambda it: it.group(security_groups=[_foreign_security_group(it)]),
        "security_groups[0]: got 'a security group in us-east-1', but the store is in eu-west-1; use a "
        "security group of that Region",
        _SECURITY,
    ),
    Refused(
        "A replication group's security group is in its VPC.",
        lambda it: it.group(security_groups=[_group_of_another_vpc(it)]),
        "security_groups[0]: got '.../Given', but it is of .../Vpc, and the store is in Stack/Network/Vpc; "
        "use a group of that VPC; import a group that is associated with several VPCs",
        _SECURITY,
    ),
    Refused(
        "A serverless cache's security group is in its VPC.",
        lambda it: it.serverless(security_groups=[_group_of_another_vpc(it)]),
        "security_groups[0]: got '.../Given', but it is of .../Vpc, and the store is in Stack/Network/Vpc; "
        "use a group of that VPC; import a group that is associated with several VPCs",
        _SECURITY,
    ),
    Refused(
        "A cluster's security group is in its VPC.",
        lambda it: it.cluster(security_groups=[_group_of_another_vpc(it)]),
        "security_groups[0]: got '.../Given', but it is of .../Vpc, and the store is in Stack/Network/Vpc; "
        "use a group of that VPC; import a group that is associated with several VPCs",
        _SECURITY,
    ),
    Refused(
        "The security group of a smoke test is in the VPC of the store.",
        lambda it: SmokeTest(it.scope, "Smoke", target=it.group(), security_groups=[_group_of_another_vpc(it)]),
        "security_groups[0]: got '.../Given', but it is of .../Vpc, and the function is in "
        "Stack/Network/Vpc; use a group of that VPC; import a group that is associated with several VPCs",
        _LAMBDA,
    ),
    Refused(
        "Each security group of a drill is listed once.",
        lambda it: FailoverDrill(
            it.scope, "Drill", target=it.group(), security_groups=[_security_group(it, "One")] * 2
        ),
        "security_groups[1]: got '.../One', but it is in the list already; list each group once",
        _LAMBDA,
    ),
    Refused(
        "Each alarm of a drill is listed once.",
        lambda it: FailoverDrill(it.scope, "Drill", target=it.group(), blocking_alarms=[_alarm(it)] * 2),
        "blocking_alarms[1]: got '.../Alarm', but it is in the list already; list each alarm once",
        _DESCRIBE_ALARMS,
    ),
    Refused(
        "A drill has at most 100 alarms.",
        lambda it: FailoverDrill(
            it.scope,
            "Drill",
            target=it.group(),
            blocking_alarms=[_alarm(it, f"Alarm{number}") for number in range(101)],
        ),
        "blocking_alarms: got '101 alarms', but CloudWatch reads 100 alarms at once; give a composite alarm of them",
        _DESCRIBE_ALARMS,
    ),
    Refused(
        "The alarms of a drill are in its Region.",
        lambda it: FailoverDrill(
            it.scope,
            "Drill",
            target=it.group(),
            blocking_alarms=[
                cloudwatch.Alarm.from_alarm_arn(
                    it.scope, "Alarm", "arn:aws:cloudwatch:us-east-1:111122223333:alarm:orders"
                )
            ],
        ),
        "blocking_alarms[0]: got 'an alarm in us-east-1', but the drill is in eu-west-1; use an alarm of that Region",
        _DESCRIBE_ALARMS,
    ),
    # Networks.
    Refused(
        "A replication group's network is in its Region.",
        lambda it: it.group(network=_foreign_network(it)),
        "network: got 'a network in us-east-1', but the store is in eu-west-1; use a network of that Region",
        _GROUPS,
    ),
    Refused(
        "A serverless cache's network is in its Region.",
        lambda it: it.serverless(network=_foreign_network(it)),
        "network: got 'a network in us-east-1', but the store is in eu-west-1; use a network of that Region",
        _GROUPS,
    ),
    Refused(
        "A cluster's network is in its Region.",
        lambda it: it.cluster(network=_foreign_network(it)),
        "network: got 'a network in us-east-1', but the store is in eu-west-1; use a network of that Region",
        _MEMORYDB_GROUPS,
    ),
    Refused(
        "A network's VPC is in its Region.",
        lambda it: RedisNetwork(it.scope, "Network", vpc=_imported_vpc(it, "us-east-1")),
        "vpc: got 'a VPC in us-east-1', but the network is in eu-west-1; use a VPC of that Region",
        "https://docs.aws.amazon.com/vpc/latest/userguide/how-it-works.html",
    ),
    Refused(
        "The network of an imported store is in its Region.",
        lambda it: _imported(it, network=_foreign_network(it)),
        "network: got 'a network in us-east-1', but the store is in eu-west-1; use a network of that Region",
        _GROUPS,
    ),
    # Stores and users.
    Refused(
        "A smoke test is in the Region of its store.",
        lambda it: SmokeTest(it.other_stack(), "Smoke", target=it.group()),
        "target: got 'a store in eu-west-1', but the function is in us-east-1; use a store of that Region",
        _LAMBDA,
    ),
    Refused(
        "A drill is in the account of its store.",
        lambda it: FailoverDrill(it.other_stack("eu-west-1", _ELSEWHERE), "Drill", target=it.group()),
        "target: got 'a store in 111122223333', but the function is in 999999999999; use a store of that account",
        _LAMBDA,
    ),
    Refused(
        "A smoke test's log group is in its Region.",
        lambda it: SmokeTest(it.scope, "Smoke", target=it.group(), log_group=_log_group(it)),
        "log_group: got 'a log group in us-east-1', but the function is in eu-west-1; use a log group of that Region",
        _LAMBDA_LOGS,
    ),
    Refused(
        "A smoke test's role is in its account.",
        lambda it: SmokeTest(it.scope, "Smoke", target=it.group(), role=_role(it, _ELSEWHERE)),
        "role: got 'a role in 999999999999', but the function is in 111122223333; use a role of that account",
        '"Cross-account pass role is not allowed."',
    ),
    Refused(
        "A smoke test signs in as a user of its store.",
        lambda it: SmokeTest(it.scope, "Smoke", target=it.group(), user=it.group("Other").add_iam_user("app", "on ~*")),
        "user: got '.../Other/Users/app', but it is not a user of the target; give one of its users, or "
        "leave it out to have one added",
        _RBAC,
    ),
    Refused(
        "A drill signs in as a user of its store.",
        lambda it: FailoverDrill(
            it.scope, "Drill", target=it.group(), user=it.group("Other").add_iam_user("app", "on ~*")
        ),
        "user: got '.../Other/Users/app', but it is not a user of the target; give one of its users, or "
        "leave it out to have one added",
        _RBAC,
    ),
    Refused(
        "A client is connected as a user of the store.",
        lambda it: it.group().grant_connect(
            iam.Role(it.scope, "Role", assumed_by=iam.AccountRootPrincipal()),
            user=it.cluster().add_iam_user("app", "on ~*"),
        ),
        "user: got '.../Cluster/Users/app', but it is not a user of this store; add it with `add_iam_user`",
        _RBAC,
    ),
    Refused(
        "A security-group rule cannot name a client's group of another Region.",
        _connect_from_another_region,
        "grantee: got 'a client with a security group in us-east-1', but the store is in eu-west-1; use a "
        "client with a security group of that Region",
        _PEERING,
    ),
    # Secrets.
    Refused(
        "The secret of a user is in the Region of the user.",
        lambda it: it.group().add_password_user("app", "on ~* +@read", secret=_secret(it)),
        "secret: got 'a secret in us-east-1', but the user is in eu-west-1; use a secret of that Region",
        _SECRETS,
    ),
    Refused(
        "The secret of a MemoryDB user is in the Region of the user.",
        lambda it: MemoryDbUser(
            it.scope, "User", access="on ~* +@read", authentication=Authentication.password(_secret(it))
        ),
        "secret: got 'a secret in us-east-1', but the user is in eu-west-1; use a secret of that Region",
        _SECRETS,
    ),
    Refused(
        "The secret of an imported user is in the Region of the user.",
        lambda it: ElastiCacheUser.from_user_attributes(it.scope, "User", user_name="app", secret=_secret(it)),
        "secret: got 'a secret in us-east-1', but the user is in eu-west-1; use a secret of that Region",
        _SECRETS,
    ),
    Refused(
        "The secret of an AUTH token is in the store's Region.",
        lambda it: it.group(authentication=Authentication.auth_token(_secret(it), version_id="v1")),
        "secret: got 'a secret in us-east-1', but the store is in eu-west-1; use a secret of that Region",
        _SECRETS,
    ),
    Refused(
        "The function that rotates a password is in its Region.",
        lambda it: (
            it.group()
            .add_password_user("app", "on ~* +@read")
            .add_rotation(
                lambda_.Function.from_function_arn(
                    it.scope, "Rotation", "arn:aws:lambda:us-east-1:111122223333:function:rotation"
                )
            )
        ),
        "function: got 'a function in us-east-1', but the user is in eu-west-1; use a function of that Region",
        _ROTATION,
    ),
    # Files and snapshots.
    Refused(
        "A file is restored once.",
        lambda it: it.group(restore=_restore("arn:aws:s3:::data/a.rdb", "arn:aws:s3:::data/a.rdb")),
        "object_arns: got 'arn:aws:s3:::data/a.rdb', but it is in the list twice; list each file once",
        _SEEDING,
    ),
    Refused(
        "The file of a replication group is in the partition of its Region.",
        lambda it: it.group(restore="arn:aws-cn:s3:::data/a.rdb"),
        "restore: got 'arn:aws-cn:s3:::data/a.rdb', but it is an ARN of the partition aws-cn, and the "
        'store is in eu-west-1; an ARN of that Region begins with "arn:aws:"',
        _ARNS,
    ),
    Refused(
        "The file of a serverless cache is in the partition of its Region.",
        lambda it: it.serverless(restore="arn:aws-us-gov:s3:::data/a.rdb"),
        "restore: got 'arn:aws-us-gov:s3:::data/a.rdb', but it is an ARN of the partition aws-us-gov, and "
        'the store is in eu-west-1; an ARN of that Region begins with "arn:aws:"',
        _ARNS,
    ),
    Refused(
        "The file of a cluster is in the partition of its Region.",
        lambda it: it.cluster(restore="arn:aws-cn:s3:::data/a.rdb"),
        "restore: got 'arn:aws-cn:s3:::data/a.rdb', but it is an ARN of the partition aws-cn, and the "
        'store is in eu-west-1; an ARN of that Region begins with "arn:aws:"',
        _ARNS,
    ),
    Refused(
        "A store is restored from files, not from a bucket.",
        lambda it: it.group(restore="arn:aws:s3:::data"),
        "restore: object_arns: got 'arn:aws:s3:::data', but a file reads \"arn:aws:s3:::bucket/file.rdb\", "
        "with no comma in it",
        _SEEDING,
    ),
    Refused(
        "A store is restored from files, not from a folder.",
        lambda it: it.group(restore="arn:aws:s3:::data/backups/"),
        "restore: object_arns: got 'arn:aws:s3:::data/backups/', but it is a folder, and a store is "
        "restored from files",
        _SEEDING,
    ),
    Refused(
        "The key of a file has no comma.",
        lambda it: it.cluster(restore="arn:aws:s3:::data/a,b.rdb"),
        "restore: object_arns: got 'arn:aws:s3:::data/a,b.rdb', but a file reads "
        '"arn:aws:s3:::bucket/file.rdb", with no comma in it',
        '"The Amazon S3 object name in the ARN cannot contain any commas."',
    ),
    Refused(
        "The ARN of a file in S3 has no Region and no account.",
        lambda it: it.cluster(restore="arn:aws:s3:eu-west-1:111122223333:data/a.rdb"),
        "restore: object_arns: got 'arn:aws:s3:eu-west-1:111122223333:data/a.rdb', but a file reads "
        '"arn:aws:s3:::bucket/file.rdb", with no comma in it',
        _SEEDING,
    ),
    Refused(
        "A serverless cache is restored from a snapshot of ElastiCache.",
        lambda it: it.serverless(restore="arn:aws:rds:eu-west-1:111122223333:snapshot:orders"),
        "restore: got 'arn:aws:rds:eu-west-1:111122223333:snapshot:orders', but a serverless cache is "
        'restored from a snapshot of ElastiCache; write Restore.from_snapshot("arn:aws:elasticache:...")',
        _RESTORING,
    ),
    Refused(
        "A serverless cache is restored from a snapshot of its Region.",
        lambda it: it.serverless(restore="arn:aws:elasticache:us-east-1:111122223333:serverlesscachesnapshot:orders"),
        "restore: got 'arn:aws:elasticache:us-east-1:111122223333:serverlesscachesnapshot:orders', but the "
        "snapshot is in us-east-1, and the store in eu-west-1; export it to S3 in that Region, and use "
        "Restore.from_s3",
        _RESTORING,
    ),
    Refused(
        "A serverless cache is restored by the ARN of a snapshot.",
        lambda it: it.serverless(restore="orders"),
        "restore: got 'orders', but a serverless cache is restored by the ARN of a snapshot, not by its "
        'name; write Restore.from_snapshot("arn:aws:elasticache:...")',
        _RESTORING,
    ),
    Refused(
        "A replication group is restored by the name of a snapshot.",
        lambda it: it.group(restore="arn:aws:elasticache:eu-west-1:111122223333:snapshot:orders"),
        "restore: got 'arn:aws:elasticache:eu-west-1:111122223333:snapshot:orders', but a store that is "
        "not serverless is restored by the name of a snapshot, not by its ARN; write "
        "Restore.from_snapshot('orders')",
        _TOPIC,
    ),
    Refused(
        "A cluster is restored by the name of a snapshot.",
        lambda it: it.cluster(restore="arn:aws:memorydb:eu-west-1:111122223333:snapshot/orders"),
        "restore: snapshot_name: got 'arn:aws:memorydb:eu-west-1:111122223333:snapshot/orders', but a "
        "snapshot's name has 1 to 255 letters, digits, hyphens, dots and colons and begins with a letter",
        "https://docs.aws.amazon.com/memorydb/latest/APIReference/API_CreateCluster.html",
    ),
]


def _restore(*arns: str) -> object:
    from cdk_redis import Restore

    return Restore.from_s3(*arns)


def _agnostic_stack(it: Scene) -> cdk.Stack:
    return cdk.Stack(it.scope, "Anywhere")


ACCEPTED = [
    Accepted(
        "The Region of a topic that is a token is not known.",
        lambda it: it.group(
            notification_topic=sns.Topic.from_topic_arn(it.scope, "Topic", cdk.Fn.import_value("topic"))
        ),
    ),
    Accepted(
        "Five security groups are the default quota.",
        lambda it: it.group(security_groups=[_security_group(it, f"Group{n}", f"sg-{n:017x}") for n in range(5)]),
    ),
    Accepted(
        "The VPC of an imported security group is not known.",
        lambda it: it.serverless(security_groups=[_security_group(it)]),
    ),
    Accepted(
        "A security group of the network's VPC can be given.",
        lambda it: it.cluster(security_groups=[ec2.SecurityGroup(it.scope, "Given", vpc=it.network.vpc)]),
    ),
    Accepted(
        "A log group that is imported by its name is in the stack's Region.",
        lambda it: it.group(
            log_delivery=[LogDelivery.slow_log(log_group=logs.LogGroup.from_log_group_name(it.scope, "Logs", "slow"))]
        ),
    ),
    Accepted(
        "A stream of the same Region and account can receive a log.",
        lambda it: it.group(log_delivery=[LogDelivery.engine_log(delivery_stream=_stream(it, "eu-west-1"))]),
    ),
    Accepted(
        "A secret of another account can be read by its ARN.",
        lambda it: it.group().add_password_user("app", "on ~* +@read", secret=_secret(it, "eu-west-1", _ELSEWHERE)),
    ),
    Accepted(
        "A smoke test in a stack of the same Region and account can test the store.",
        lambda it: SmokeTest(it.scope, "Smoke", target=it.group()),
    ),
    Accepted(
        "A role of another Region can connect: roles have no Region.",
        lambda it: (
            lambda cache: cache.grant_connect(
                iam.Role.from_role_arn(it.scope, "Role", "arn:aws:iam::111122223333:role/app"),
                user=cache.add_iam_user("app", "on ~* +@read"),
            )
        )(it.group()),
    ),
    Accepted(
        "Files of several names are restored together.",
        lambda it: it.group(shards=2, restore=_restore("arn:aws:s3:::data/a.rdb", "arn:aws:s3:::data/b.rdb")),
    ),
    Accepted(
        "The ARN of a file may be a token.",
        lambda it: it.cluster(restore=_restore(cdk.Fn.import_value("file"))),
    ),
    Accepted(
        "A serverless cache is restored from a snapshot of a replication group.",
        lambda it: it.serverless(restore="arn:aws:elasticache:eu-west-1:111122223333:snapshot:orders"),
    ),
    Accepted(
        "The name of an automatic snapshot has dots.",
        lambda it: it.group(restore="automatic.orders-2026-01-31-03-00"),
    ),
]
