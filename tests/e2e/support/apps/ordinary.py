"""An application around a store, with what such applications have in AWS: each construct as its users write it.

The VPC is one that exists, which no stack of the app creates.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as stepfunctions
from aws_cdk import aws_stepfunctions_tasks as tasks
from aws_cdk import custom_resources

from cdk_redis import AccessString, RedisNetwork, ReplicationGroup, SmokeTest, runtime_code

app = cdk.App()
stack = cdk.Stack(app, "Ordinary", env=cdk.Environment(account="000000000000", region="us-east-1"))
vpc = ec2.Vpc.from_vpc_attributes(
    stack,
    "Vpc",
    vpc_id="vpc-0123456789abcdef0",
    availability_zones=["us-east-1a", "us-east-1b"],
    private_subnet_ids=["subnet-0a", "subnet-0b"],
    public_subnet_ids=["subnet-1a", "subnet-1b"],
    vpc_cidr_block="10.0.0.0/16",
)
engine = app.node.get_context("engine")
network = RedisNetwork(stack, "Network", vpc=vpc, vpc_subnets=ec2.SubnetSelection(subnets=vpc.private_subnets))
cache = ReplicationGroup(
    stack, "Cache", network=network, engine=engine, shards=1, replicas=1, removal_policy=cdk.RemovalPolicy.DESTROY
)
user = cache.add_iam_user("web", AccessString.read_write("visits:*"))

topic = sns.Topic(stack, "Topic")
queue = sqs.Queue(
    stack, "Queue", dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=3, queue=sqs.Queue(stack, "Dead"))
)
topic.add_subscription(subscriptions.SqsSubscription(queue))
key = kms.Key(stack, "Key", enable_key_rotation=True, alias="alias/ordinary", removal_policy=cdk.RemovalPolicy.DESTROY)
table = dynamodb.Table(
    stack,
    "Table",
    partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
    removal_policy=cdk.RemovalPolicy.DESTROY,
    encryption_key=key,
)
bucket = s3.Bucket(stack, "Bucket", removal_policy=cdk.RemovalPolicy.DESTROY)
secret = secretsmanager.Secret(stack, "Secret", removal_policy=cdk.RemovalPolicy.DESTROY)
parameter = ssm.StringParameter(stack, "Parameter", string_value="on")

function = lambda_.Function(
    stack,
    "Function",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="index.handler",
    code=runtime_code(app.node.get_context("function")),
    vpc=vpc,
    timeout=cdk.Duration.seconds(10),
    environment={"TABLE": table.table_name, "BUCKET": bucket.bucket_name, "QUEUE": queue.queue_url},
    log_group=logs.LogGroup(stack, "Logs", retention=logs.RetentionDays.ONE_WEEK),
)
cache.bind(function, user=user)
table.grant_read_write_data(function)
bucket.grant_read(function)
secret.grant_read(function)
parameter.grant_read(function)
function.add_event_source(sources.SqsEventSource(queue))
function.add_to_role_policy(iam.PolicyStatement(actions=["cloudwatch:PutMetricData"], resources=["*"]))
alias = lambda_.Alias(stack, "Live", alias_name="live", version=function.current_version)

rest = apigateway.LambdaRestApi(stack, "Rest", handler=alias)
http = apigatewayv2.HttpApi(stack, "Http")
http.add_routes(path="/visits", integration=integrations.HttpLambdaIntegration("Visits", function))
events.Rule(
    stack,
    "Nightly",
    schedule=events.Schedule.cron(hour="3", minute="0"),
    targets=[targets.LambdaFunction(function), targets.SqsQueue(queue)],
)
machine = stepfunctions.StateMachine(
    stack,
    "Machine",
    definition_body=stepfunctions.DefinitionBody.from_chainable(
        tasks.LambdaInvoke(stack, "Count", lambda_function=function).next(stepfunctions.Succeed(stack, "Done"))
    ),
)

service = patterns.ApplicationLoadBalancedFargateService(
    stack,
    "Service",
    vpc=vpc,
    task_subnets=ec2.SubnetSelection(subnets=vpc.private_subnets),
    task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(
        image=ecs.ContainerImage.from_registry("public.ecr.aws/docker/library/python:3.13"),
        secrets={"TOKEN": ecs.Secret.from_secrets_manager(secret)},
    ),
    public_load_balancer=False,
)
cache.bind(service.service, user=user)
service.service.auto_scale_task_count(max_capacity=4).scale_on_cpu_utilization("Cpu", target_utilization_percent=60)

ec2.InterfaceVpcEndpoint(
    stack, "Endpoint", vpc=vpc, service=ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER, open=False
)
image = ec2.MachineImage.latest_amazon_linux2023()
instance = ec2.Instance(
    stack,
    "Bastion",
    vpc=vpc,
    instance_type=ec2.InstanceType("t4g.nano"),
    machine_image=ec2.MachineImage.latest_amazon_linux2023(cpu_type=ec2.AmazonLinuxCpuType.ARM_64),
    vpc_subnets=ec2.SubnetSelection(subnets=vpc.private_subnets),
)
workers = autoscaling.AutoScalingGroup(
    stack, "Workers", vpc=vpc, instance_type=ec2.InstanceType("t3.small"), machine_image=image, max_capacity=2
)
zone = route53.PrivateHostedZone(stack, "Zone", zone_name="shop.internal", vpc=vpc)
route53.CnameRecord(stack, "Name", zone=zone, record_name="cache", domain_name=str(cache.endpoint.address))

alarm = cloudwatch.Alarm(
    stack,
    "Errors",
    metric=cloudwatch.MathExpression(
        expression="100 * errors / calls",
        using_metrics={"errors": function.metric_errors(), "calls": function.metric_invocations()},
    ),
    threshold=5,
    evaluation_periods=1,
)
alarm.add_alarm_action(actions.SnsAction(topic))
cloudwatch.Alarm(stack, "Cpu", metric=cache.metric_cpu(), threshold=90, evaluation_periods=3)
cloudwatch.CompositeAlarm(stack, "Any", alarm_rule=cloudwatch.AlarmRule.any_of(alarm))
dashboard = cloudwatch.Dashboard(stack, "Dashboard")
dashboard.add_widgets(cloudwatch.GraphWidget(left=[cache.metric_cpu(), function.metric_errors()]))

described = custom_resources.AwsCustomResource(
    stack,
    "Described",
    install_latest_aws_sdk=False,
    on_update=custom_resources.AwsSdkCall(
        service="SecretsManager",
        action="describeSecret",
        parameters={"SecretId": secret.secret_arn},
        physical_resource_id=custom_resources.PhysicalResourceId.of("described"),
    ),
    policy=custom_resources.AwsCustomResourcePolicy.from_sdk_calls(resources=[secret.secret_arn]),
)
SmokeTest(stack, "SmokeTest", target=cache)

cdk.CfnOutput(stack, "FunctionName", value=function.function_name)
cdk.CfnOutput(stack, "SecretName", value=described.get_response_field("Name"))
cdk.CfnOutput(stack, "RestUrl", value=rest.url)
cdk.CfnOutput(stack, "MachineArn", value=machine.state_machine_arn)
cdk.CfnOutput(stack, "InstanceId", value=instance.instance_id)
cdk.CfnOutput(stack, "InstanceAddress", value=instance.instance_private_ip)
cdk.CfnOutput(stack, "LoadBalancer", value=service.load_balancer.load_balancer_dns_name)
app.synth()
