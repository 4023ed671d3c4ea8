"""Custom resources and wait conditions answer CloudFormation without a signature, by a secret URL."""

from __future__ import annotations

import io
import json
import threading
import time
import urllib.error
import urllib.request
import zipfile
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.local.support.clouds import Cloud, StackFailedError
from tests.local.support.other_user import as_nobody, needs_root
from tests.local.support.raw_requests import Answer, Raw, Signer

ROLE = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
# Returns its response URL, so that the test can use the URL a second time.
FUNCTION = """
import json, urllib.request

def handler(event, context):
    url = event["ResponseURL"]
    body = {"Status": "SUCCESS", "PhysicalResourceId": "made", "Data": {"Url": url}}
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": ""}, method="PUT")
    urllib.request.urlopen(request).close()
"""


def put(url: str, body: dict[str, Any], **headers: str) -> Answer:
    parts = urlsplit(url)
    raw = Raw("PUT", parts.path, json.dumps(body).encode(), {"Host": parts.netloc, **headers})
    return raw.send(int(parts.port or 0))


@pytest.fixture(scope="module")
def function(cloud: Cloud) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("index.py", FUNCTION)
    document = json.dumps({"Version": "2012-10-17", "Statement": [ROLE]})
    role = cloud.client("iam").create_role(RoleName="answers", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    made = cloud.client("lambda").create_function(
        FunctionName="answers",
        Runtime="python3.13",
        Role=role,
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    return str(made["FunctionArn"])


def test_the_response_url_of_a_custom_resource_works_once(cloud: Cloud, function: str) -> None:
    resource = {"Type": "Custom::Answer", "Properties": {"ServiceToken": function}}
    made = cloud.deploy("custom", {"Answer": resource}, {"Url": {"Fn::GetAtt": ["Answer", "Url"]}})
    # The URL has 127.0.0.1, because localhost may resolve to ::1 first, where another user could listen.
    assert made["Url"].startswith(f"{cloud.local.endpoint_url}/_ministack/cfn-response/")
    again = put(made["Url"], {"Status": "FAILED", "Reason": "by somebody else"})
    assert (again.status, "internal to the emulator" in again.body) == (403, True)
    cloud.delete("custom")


def waiting(cloud: Cloud, name: str) -> tuple[str, threading.Thread, list[str]]:
    """A stack that waits for a signal: the signal's URL, the thread that creates the stack, and its errors."""
    handle = {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}
    url = cloud.deploy(name, handle, {"Url": {"Ref": "Handle"}})["Url"]
    condition = {"Handle": {"Ref": "Handle"}, "Timeout": "20", "Count": 1}
    failed: list[str] = []

    def wait() -> None:
        try:
            cloud.deploy(
                name, {**handle, "Signal": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": condition}}
            )
        except StackFailedError as error:
            failed.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.5)
    return url, thread, failed


def test_a_wait_condition_accepts_a_signal_of_this_user_but_not_of_a_web_page(cloud: Cloud) -> None:
    url, thread, failed = waiting(cloud, "signalled")
    signal = {"Status": "SUCCESS", "UniqueId": "a", "Data": "d", "Reason": "r"}
    for header in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}):
        assert put(url, {**signal, "Status": "FAILURE"}, **header).status == 403
    assert put(url, signal).status == 200
    thread.join(30)
    assert failed == []


@needs_root
def test_another_user_cannot_signal_a_wait_condition_even_with_its_url(cloud: Cloud) -> None:
    url, thread, failed = waiting(cloud, "foreign")
    failure = {"Status": "FAILURE", "UniqueId": "a", "Data": "d", "Reason": "by somebody else"}
    assert as_nobody(lambda: put(url, failure).status) == 403
    assert put(url, {**failure, "Status": "SUCCESS"}).status == 200
    thread.join(30)
    assert failed == []


def test_other_methods_and_paths_of_response_urls_are_refused(cloud: Cloud) -> None:
    own = Signer(cloud)
    for method, path in (("GET", "/_ministack/cfn-response/"), ("PUT", "/_ministack/cfn-response/../reset")):
        assert Raw(method, path, b"{}", {"Host": own.host}).send(own.port).status == 403
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{cloud.local.endpoint_url}/_ministack/cfn-signal/")
