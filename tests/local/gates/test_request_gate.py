"""The request gate accepts requests that are signed with the cloud's credentials, and refuses all others."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.credentials import Credentials

from cdk_redis_local._cloud import new_root_credentials
from tests.local.support.clouds import Cloud
from tests.local.support.raw_requests import FORM, Answer, Raw, Signer

LIST = b"Action=ListUsers&Version=2010-05-08"
FIVE_MINUTES = 300


@pytest.fixture(scope="module")
def own(cloud: Cloud) -> Signer:
    """Signs with the cloud's own credentials."""
    return Signer(cloud)


def with_header(raw: Raw, name: str, value: str) -> Raw:
    return Raw(raw.method, raw.path, raw.body, {**raw.headers, name: value})


def without_signature(own: Signer, credential: str, signature: str = "0" * 64) -> Raw:
    raw = own.action()
    scope = f"{credential}/{raw.headers['X-Amz-Date'][:8]}/us-east-1/iam/aws4_request"
    given = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
    return with_header(raw, "Authorization", given)


def with_key(own: Signer, key: str, secret: str | None = None) -> Signer:
    other = Signer.__new__(Signer)
    other.__dict__.update(own.__dict__)
    other.credentials = Credentials(key, secret or own.credentials.secret_key)
    return other


def altered(raw: Raw, **parts: Any) -> Raw:
    return Raw(**{**raw.__dict__, **parts})


REFUSED: dict[str, tuple[Callable[[Signer], Raw], str]] = {
    "no credentials": (
        lambda own: Raw(body=LIST, headers={"Host": own.host, "Content-Type": FORM}),
        "the request is not signed",
    ),
    "a signature of zeros by the key test": (
        lambda own: without_signature(own, "test", "00"),
        "does not have the form",
    ),
    "a signature of zeros by the cloud's key": (
        lambda own: without_signature(own, own.credentials.access_key),
        "the signature does not match",
    ),
    "the key test": (lambda own: with_key(own, "test").action(), "the credentials do not exist"),
    "the account as a key": (lambda own: with_key(own, "000000000000").action(), "the credentials do not exist"),
    "an unknown key": (lambda own: with_key(own, "AKIAUNKNOWNUNKNOWN00").action(), "the credentials do not exist"),
    "another secret": (
        lambda own: with_key(own, own.credentials.access_key, "another").action(),
        "the signature does not match",
    ),
    "two keys in one header": (
        lambda own: with_header(
            own.action(),
            "Authorization",
            own.action().headers["Authorization"].replace("Credential=", "Credential=Credential="),
        ),
        "does not have the form",
    ),
    "another body": (
        lambda own: altered(own.action(), body=b"Action=ListRoles&Version=2010-05-08"),
        "the signature does not match",
    ),
    "another body than the declared hash": (
        lambda own: altered(own.sign(Raw("PUT", "/b/k", b"a", {"Host": own.host}), "s3"), body=b"b"),
        "the body has changed since it was signed",
    ),
    "another path": (
        lambda own: altered(own.sign(Raw("GET", "/a", b"", {"Host": own.host}), "s3"), path="/b"),
        "the signature does not match",
    ),
    "another query": (
        lambda own: altered(own.sign(Raw("GET", "/a?list-type=2", b"", {"Host": own.host}), "s3"), path="/a?acl"),
        "the signature does not match",
    ),
    "an unsigned x-amz header": (
        lambda own: with_header(own.action(), "X-Amz-Target", "IAM.CreateUser"),
        "these headers are not signed: x-amz-target",
    ),
    "a body that is not signed, outside of S3": (
        lambda own: own.sign(
            Raw(body=LIST, headers={"Host": own.host, "X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}), "iam"
        ),
        "the body has changed since it was signed",
    ),
    "signed too long ago": (
        lambda own: own.sign(Raw(body=LIST, headers={"Host": own.host}), "iam", age=FIVE_MINUTES + 5),
        "it expired",
    ),
    "signed in the future": (
        lambda own: own.sign(Raw(body=LIST, headers={"Host": own.host}), "iam", age=-FIVE_MINUTES - 5),
        "in the future",
    ),
    "presigned for longer than a week": (
        lambda own: own.presign("/?Action=GetCallerIdentity&Version=2011-06-15", "sts", expires=604801),
        "1 to 604800 s are allowed",
    ),
    "presigned for something else": (
        lambda own: altered(
            own.presign("/?Action=GetCallerIdentity&Version=2011-06-15", "sts"),
            path=own.presign("/?Action=GetCallerIdentity&Version=2011-06-15", "sts").path.replace(
                "GetCallerIdentity", "GetSessionToken"
            ),
        ),
        "the signature does not match",
    ),
    "presigned with version 2": (
        lambda own: Raw("GET", "/b/k?AWSAccessKeyId=test&Signature=a&Expires=1", b"", {"Host": own.host}),
        "use version 4",
    ),
    "signed by header and by query": (
        lambda own: altered(own.action(), path="/?X-Amz-Credential=test/20250101/us-east-1/iam/aws4_request"),
        "signed twice",
    ),
    "another host, signed": (lambda own: own.action(host=f"evil.example:{own.port}"), "not 'evil.example:"),
    "a host that begins like the cloud's": (
        lambda own: own.action(host=f"127.0.0.1:{own.port}.evil.example"),
        "the Host header must be",
    ),
    "the cloud's host without its port": (lambda own: own.action(host="127.0.0.1"), "the Host header must be"),
    "another web site, signed": (
        lambda own: with_header(own.action(), "Origin", "http://evil.example"),
        "header origin",
    ),
    "the cloud as the origin, signed": (
        lambda own: with_header(own.action(), "Origin", f"http://{own.host}"),
        "header origin",
    ),
    "an image of a web page, signed": (
        lambda own: with_header(own.presign("/?Action=ListUsers", "iam"), "Sec-Fetch-Site", "cross-site"),
        "header sec-fetch-site",
    ),
    "a preflight": (
        lambda own: Raw("OPTIONS", headers={"Host": own.host, "Access-Control-Request-Method": "POST"}),
        "the request is not signed",
    ),
    "an unknown custom resource's answer": (
        lambda own: Raw(
            "PUT", f"/_ministack/cfn-response/{'0' * 8}-0000-4000-8000-{'0' * 12}", b"{}", {"Host": own.host}
        ),
        "internal to the emulator",
    ),
}
# All internal paths of the emulator: state, settings, mails and messages, code, certificates.
INTERNAL = [
    ("POST", "/_ministack/reset"),
    ("POST", "//_ministack/reset"),
    ("POST", "/%5fministack/reset"),
    ("POST", "/_ministack/config"),
    ("GET", "/_ministack/health"),
    ("GET", "/_ministack/ready"),
    ("GET", "/_localstack/health"),
    ("GET", "/health"),
    ("GET", "/_ministack/lambda-code/probe"),
    ("GET", "/_ministack/lambda-layers/probe/1/content"),
    ("POST", "/_ministack/rds/iam-auth"),
    ("POST", "/_ministack/eks-auth/000000000000/us-east-1/cluster/0123456789abcdef"),
    ("GET", "/_ministack/sns/sms-messages"),
    ("GET", "/_aws/ses"),
    ("GET", "/_aws/sqs/messages"),
    ("GET", "/_alb/balancer/"),
]


def assert_refused(answer: Answer, own: Signer, reason: str) -> None:
    assert (answer.status, reason in answer.body) == (403, True), answer
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert own.credentials.access_key not in answer.body
    assert own.credentials.secret_key not in answer.body


@pytest.mark.parametrize("case", REFUSED)
def test_a_request_that_fails_a_check_is_refused(cloud: Cloud, own: Signer, case: str) -> None:
    make, reason = REFUSED[case]
    assert_refused(make(own).send(own.port), own, reason)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(("method", "path"), INTERNAL)
def test_internal_paths_of_the_emulator_are_refused(
    cloud: Cloud, own: Signer, method: str, path: str, signed: bool
) -> None:
    raw = Raw(method, path, b"{}", {"Host": own.host})
    assert_refused((own.sign(raw, "s3") if signed else raw).send(own.port), own, "internal to the emulator")


def test_websockets_are_refused(own: Signer) -> None:
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    headers = {"Host": own.host, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **upgrade}
    assert Raw("GET", "/", b"", headers).send(own.port).status == 403


def test_a_refused_request_has_no_effect(cloud: Cloud, own: Signer) -> None:
    signed = own.action("CreateUser", UserName="refused")
    for raw in (with_header(signed, "Origin", "null"), altered(signed, headers={"Host": own.host})):
        assert raw.send(own.port).status == 403
    assert "refused" not in own.action().send(own.port).body


@pytest.mark.parametrize(
    ("content_type", "begin"),
    [
        (FORM, "<ErrorResponse><Error><Code>MissingAuthenticationToken</Code>"),
        ("application/x-amz-json-1.1", '{"__type": "MissingAuthenticationToken"'),
        ("", "<Error><Code>MissingAuthenticationToken</Code>"),
    ],
)
def test_a_refusal_has_the_format_of_the_called_api(own: Signer, content_type: str, begin: str) -> None:
    answer = Raw(headers={"Host": own.host, "Content-Type": content_type}).send(own.port)
    assert answer.body.startswith(begin)
    hint = "Use the AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the local cloud's environment."
    assert hint in answer.body
    assert answer.headers["x-amzn-errortype"] == "MissingAuthenticationToken"


def test_every_cloud_has_other_credentials(own: Signer) -> None:
    used = [(own.credentials.access_key, own.credentials.secret_key)]
    used += [tuple(new_root_credentials().values()) for _ in range(3)]

    assert len({key for key, _ in used}) == len({secret for _, secret in used}) == 4
    assert {(key[:5], len(key), len(secret)) for key, secret in used} == {("LOCAL", 21, 40)}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_a_request_signed_with_the_cloud_s_credentials_is_accepted(own: Signer, host: str) -> None:
    answer = own.action(host=f"{host}:{own.port}").send(own.port)
    assert (answer.status, "<ListUsersResult>" in answer.body) == (200, True)
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_presigned_url_is_accepted(own: Signer) -> None:
    answer = own.presign("/?Action=GetCallerIdentity&Version=2011-06-15", "sts").send(own.port)
    assert (answer.status, "arn:aws:iam::000000000000:root" in answer.body) == (200, True)


def user_with_key(cloud: Cloud, name: str, status: str) -> Credentials:
    """The access key of an IAM user who may list users; a template creates both."""
    statement = {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}
    policy = {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    made = cloud.deploy(
        name,
        {
            "User": {"Type": "AWS::IAM::User", "Properties": {"UserName": name, "Policies": [policy]}},
            "Key": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": {"Ref": "User"}, "Status": status}},
        },
        {"Id": {"Ref": "Key"}, "Secret": {"Fn::GetAtt": ["Key", "SecretAccessKey"]}},
    )
    return Credentials(made["Id"], made["Secret"])


def test_an_access_key_from_a_template_has_the_user_s_permissions(cloud: Cloud) -> None:
    key = user_with_key(cloud, "reader", "Active")
    signer = Signer(cloud, key)
    assert signer.action().send(signer.port).status == 200
    denied = signer.action("CreateUser", UserName="another").send(signer.port)
    assert (denied.status, "not authorized to perform: iam:CreateUser" in denied.body) == (403, True)
    assert user_with_key(cloud, "reader", "Inactive").secret_key == key.secret_key
    assert_refused(signer.action().send(signer.port), signer, "the credentials do not exist")
    user_with_key(cloud, "reader", "Active")
    assert signer.action().send(signer.port).status == 200
    cloud.delete("reader")
    assert_refused(signer.action().send(signer.port), signer, "the credentials do not exist")


def test_a_session_with_its_token_has_the_role_s_permissions(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName="lister", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]
    statement = {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="lister", PolicyName="p", PolicyDocument=policy)
    made = cloud.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="session")["Credentials"]

    def send(token: str | None, action: str = "ListUsers", **parameters: str) -> Answer:
        signer = Signer(cloud, Credentials(made["AccessKeyId"], made["SecretAccessKey"], token))
        return signer.action(action, **parameters).send(signer.port)

    assert send(made["SessionToken"]).status == 200
    denied = send(made["SessionToken"], "CreateUser", UserName="another")
    assert (denied.status, "not authorized" in denied.body) == (403, True)
    for token in (None, "another"):
        answer = send(token)
        assert (answer.status, "the credentials do not exist" in answer.body) == (403, True)


def test_uploads_of_the_sdk_arrive_unchanged(cloud: Cloud) -> None:
    storage = cloud.client("s3")
    storage.create_bucket(Bucket="uploads")
    for key, data in {"a b/ü+%.bin": bytes(range(256)), "large": b"x" * 9_000_000, "empty": b""}.items():
        storage.upload_fileobj(io.BytesIO(data), "uploads", key)
        assert storage.get_object(Bucket="uploads", Key=key)["Body"].read() == data
    unsigned = cloud.client("s3", config=Config(s3={"payload_signing_enabled": False}))
    unsigned.put_object(Bucket="uploads", Key="unsigned", Body=b"1")
    presigning = cloud.client("s3", config=Config(signature_version="s3v4"))
    url = presigning.generate_presigned_url("get_object", Params={"Bucket": "uploads", "Key": "a b/ü+%.bin"})
    path = url.partition(cloud.local.endpoint_url)[2]
    signer = Signer(cloud)
    assert Raw("GET", path, b"", {"Host": signer.host}).send(signer.port).status == 200
    assert len(storage.list_objects_v2(Bucket="uploads", Prefix="", Delimiter="/")["Contents"]) == 3


def test_a_chunked_body_with_a_checksum_trailer_arrives(cloud: Cloud, own: Signer) -> None:
    cloud.client("s3").create_bucket(Bucket="chunks")
    headers = {
        "Host": own.host,
        "Content-Encoding": "aws-chunked",
        "X-Amz-Content-SHA256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "X-Amz-Decoded-Content-Length": "5",
        "X-Amz-Trailer": "x-amz-checksum-crc32",
    }
    body = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"
    answer = own.sign(Raw("PUT", "/chunks/key", body, headers), "s3").send(own.port)
    assert answer.status == 200, answer
    assert cloud.client("s3").get_object(Bucket="chunks", Key="key")["Body"].read() == b"hello"


FUNCTION = """
import os, boto3

def handler(event, context):
    keys = [os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")]
    return {"keys": keys, "arn": boto3.client("sts").get_caller_identity()["Arn"]}
"""


def test_a_function_s_credentials_work_and_cannot_be_guessed(cloud: Cloud) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("index.py", FUNCTION)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = cloud.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    functions = cloud.client("lambda")
    code = {"ZipFile": archive.getvalue()}
    made = functions.create_function(
        FunctionName="worker", Runtime="python3.13", Role=role, Handler="index.handler", Code=code
    )
    answer = json.loads(functions.invoke(FunctionName="worker")["Payload"].read())
    assert answer["arn"] == "arn:aws:sts::000000000000:assumed-role/worker/worker"
    # The emulator's own formula, which uses public names only.
    digest = hashlib.sha256(f"{made['FunctionArn']}:{role}".encode()).hexdigest()
    secret, token = (hashlib.sha256(f"{what}:{digest}".encode()).hexdigest() for what in ("secret", "token"))
    computed = Credentials(f"ASIA{digest[:16].upper()}", secret, token)
    assert not set(answer["keys"]) & {computed.access_key, secret, token}
    signer = Signer(cloud, computed)
    assert_refused(signer.action("GetUser").send(signer.port), signer, "the credentials do not exist")


def test_credentials_of_another_local_cloud_are_refused(cloud: Cloud) -> None:
    foreign = boto3.client(
        "iam",
        endpoint_url=cloud.local.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="LOCAL0123456789ABCDEF",
        aws_secret_access_key="0" * 40,
    )
    with pytest.raises(foreign.exceptions.ClientError, match=r"InvalidClientTokenId|UnrecognizedClient") as refusal:
        foreign.list_users()
    assert "the credentials do not exist" in str(refusal.value)
