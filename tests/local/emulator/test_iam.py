"""IAM in the local cloud: signed requests, the roles of functions, and tokens, which need permission on two ARNs."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import boto3
import botocore.exceptions
import pytest
import redis
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.local.support.clouds import Cloud

ARN = "arn:aws:{service}:us-east-1:000000000000:"
STORES = {
    "elasticache": ("group", ["replicationgroup:group", "user:app"]),
    "memorydb": ("cluster", ["cluster/cluster", "user/app"]),
}
IAM = {"AuthenticationMode": {"Type": "iam"}, "AccessString": "on ~app:* -@all +@write +acl|whoami"}


@pytest.fixture(scope="module")
def ports(cloud: Cloud) -> dict[str, int]:
    """A store of each service, with the IAM user ``app``."""
    name, engine = "AWS::ElastiCache", cloud.engine["Engine"]
    off = {"UserId": "nobody", "UserName": "default", "Engine": engine, "AccessString": "off -@all"}
    users = {"UserGroupId": "users", "Engine": engine, "UserIds": [{"Ref": "Default"}, {"Ref": "User"}]}
    group = {
        "ReplicationGroupId": "group",
        "ReplicationGroupDescription": "a group",
        "TransitEncryptionEnabled": True,
        "UserGroupIds": [{"Ref": "Users"}],
        **cloud.engine,
    }
    cluster = {
        "ClusterName": "cluster",
        "NodeType": "db.t4g.small",
        "ACLName": {"Ref": "Acl"},
        "NumReplicasPerShard": 0,
    }
    resources: dict[str, Any] = {
        "Default": {"Type": f"{name}::User", "Properties": {**off, "NoPasswordRequired": True}},
        "User": {"Type": f"{name}::User", "Properties": {"UserId": "app", "UserName": "app", "Engine": engine, **IAM}},
        "Users": {"Type": f"{name}::UserGroup", "Properties": users},
        "Group": {"Type": f"{name}::ReplicationGroup", "Properties": group},
        "MemoryUser": {"Type": "AWS::MemoryDB::User", "Properties": {"UserName": "app", **IAM}},
        "Acl": {"Type": "AWS::MemoryDB::ACL", "Properties": {"ACLName": "acl", "UserNames": [{"Ref": "MemoryUser"}]}},
        "Cluster": {
            "Type": "AWS::MemoryDB::Cluster",
            "Properties": {**cluster, "NumReplicasPerShard": 0, **cloud.engine},
        },
    }
    outputs = {
        "elasticache": {"Fn::GetAtt": ["Group", "PrimaryEndPoint.Port"]},
        "memorydb": {"Fn::GetAtt": ["Cluster", "ClusterEndpoint.Port"]},
    }
    return {service: int(port) for service, port in cloud.deploy("stores", resources, outputs).items()}


def token(credentials: Credentials, service: str, *, store: str | None = None, region: str = "us-east-1") -> str:
    """A token for the user ``app``, signed by botocore with the current time."""
    host = store or STORES[service][0]
    request = AWSRequest(method="GET", url=f"https://{host}/?Action=connect&User=app")
    SigV4QueryAuth(credentials, service, region, expires=900).add_auth(request)
    return str(request.url).removeprefix("https://")


def sign_in(cloud: Cloud, port: int, password: str) -> str:
    client = redis.Redis(
        host="localhost",
        port=port,
        username="app",
        password=password,
        ssl=True,
        ssl_ca_certs=cloud.local.environment["SSL_CERT_FILE"],
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    )
    return str(client.execute_command("ACL", "WHOAMI"))


def caller(cloud: Cloud, name: str, statements: list[dict[str, Any]]) -> Credentials:
    """An IAM user with a policy and an access key."""
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    policy = {"Version": "2012-10-17", "Statement": statements}
    iam.put_user_policy(UserName=name, PolicyName="connect", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def allow(service: str, *resources: str, effect: str = "Allow") -> dict[str, Any]:
    start = ARN.format(service=service)
    return {"Effect": effect, "Action": f"{service}:Connect", "Resource": [start + resource for resource in resources]}


@pytest.mark.parametrize("service", ["elasticache", "memorydb"])
def test_a_caller_with_permission_on_store_and_user_signs_in(cloud: Cloud, ports: dict[str, int], service: str) -> None:
    credentials = caller(cloud, f"allowed-{service}", [allow(service, *STORES[service][1])])
    assert sign_in(cloud, ports[service], token(credentials, service)) == "app"


@pytest.mark.parametrize("service", ["elasticache", "memorydb"])
@pytest.mark.parametrize("kept", [[], [0], [1]])
def test_a_caller_with_permission_on_only_one_arn_is_refused(
    cloud: Cloud, ports: dict[str, int], service: str, kept: list[int]
) -> None:
    resources = [STORES[service][1][index] for index in kept]
    name = f"partly-{service}-{kept}".translate(str.maketrans("[]", "--"))
    credentials = caller(cloud, name, [allow(service, "user:none", *resources)])
    with pytest.raises(redis.AuthenticationError, match="invalid username-password pair"):
        sign_in(cloud, ports[service], token(credentials, service))
    missing = STORES[service][1][1 if kept == [0] else 0]
    assert cloud.has_said(f"is not allowed {service}:Connect on {ARN.format(service=service)}{missing}")


def test_a_deny_statement_overrides_an_allow_statement(cloud: Cloud, ports: dict[str, int]) -> None:
    statements = [allow("memorydb", "*"), allow("memorydb", "user/app", effect="Deny")]
    credentials = caller(cloud, "denied", statements)
    with pytest.raises(redis.AuthenticationError):
        sign_in(cloud, ports["memorydb"], token(credentials, "memorydb"))


def test_a_token_for_another_store_region_or_service_is_refused(cloud: Cloud, ports: dict[str, int]) -> None:
    credentials = caller(cloud, "all", [allow("elasticache", "*"), allow("memorydb", "*")])
    assert sign_in(cloud, ports["elasticache"], token(credentials, "elasticache")) == "app"
    for bad in (
        token(credentials, "elasticache", store="another"),
        token(credentials, "elasticache", store="localhost"),
        token(credentials, "elasticache", region="eu-west-1"),
        token(credentials, "memorydb", store="group"),
        token(Credentials(credentials.access_key, "another-secret"), "elasticache"),
        token(Credentials("AKIAUNKNOWN", credentials.secret_key), "elasticache"),
    ):
        with pytest.raises(redis.AuthenticationError, match="invalid username-password pair"):
            sign_in(cloud, ports["elasticache"], bad)


def test_an_assumed_role_signs_in_with_its_session_token(cloud: Cloud, ports: dict[str, int]) -> None:
    iam = cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(document))["Role"]
    policy = {"Version": "2012-10-17", "Statement": [allow("elasticache", *STORES["elasticache"][1])]}
    iam.put_role_policy(RoleName="reader", PolicyName="connect", PolicyDocument=json.dumps(policy))
    made = cloud.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="session")["Credentials"]
    credentials = Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    assert sign_in(cloud, ports["elasticache"], token(credentials, "elasticache")) == "app"
    credentials = Credentials(made["AccessKeyId"], made["SecretAccessKey"], "another-session-token")
    with pytest.raises(redis.AuthenticationError):
        sign_in(cloud, ports["elasticache"], token(credentials, "elasticache"))


def test_requests_of_a_user_need_its_secret_key_and_permission(cloud: Cloud) -> None:
    credentials = caller(cloud, "lister", [{"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}])

    def client(service: str, secret: str | None) -> Any:
        keys = {"aws_access_key_id": credentials.access_key, "aws_secret_access_key": secret}
        return boto3.client(service, endpoint_url=cloud.local.endpoint_url, region_name="us-east-1", **keys)

    assert client("iam", credentials.secret_key).list_users()["Users"]
    with pytest.raises(botocore.exceptions.ClientError, match="SignatureDoesNotMatch"):
        client("iam", "another-secret").list_users()
    with pytest.raises(botocore.exceptions.ClientError, match=r"AccessDenied|not authorized"):
        client("lambda", credentials.secret_key).list_functions()


def test_a_function_has_its_role_the_local_ca_and_only_lambda_s_packages(cloud: Cloud) -> None:
    code = (
        "import os\n"
        "def handler(event, context):\n"
        "    found = []\n"
        "    for name in ('boto3', 'redis', 'rich', 'cdk_redis_runtime', 'ministack'):\n"
        "        try:\n"
        "            __import__(name)\n"
        "            found.append(name)\n"
        "        except ImportError:\n"
        "            pass\n"
        "    key = os.environ['AWS_ACCESS_KEY_ID']\n"
        "    return {'packages': found, 'key': key, 'trust': os.environ['SSL_CERT_FILE']}\n"
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("index.py", code)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    role = cloud.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=json.dumps(document))["Role"]
    functions = cloud.client("lambda")
    functions.create_function(
        FunctionName="probe",
        Runtime="python3.13",
        Role=role["Arn"],
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    answer = json.loads(functions.invoke(FunctionName="probe")["Payload"].read())
    assert answer["packages"] == ["boto3"]
    assert answer["key"].startswith("ASIA")
    assert answer["trust"] == cloud.local.environment["SSL_CERT_FILE"]
