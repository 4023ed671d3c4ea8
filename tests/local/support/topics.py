"""A topic with a queue that receives its messages."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from tests.local.support.clouds import Cloud

_ANY_TOPIC = {
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:*", "Resource": "*"}
    ]
}
TOPIC_AND_QUEUE: dict[str, Any] = {
    "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "events"}},
    "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "events"}},
    "Policy": {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": _ANY_TOPIC},
    },
    "Subscription": {
        "Type": "AWS::SNS::Subscription",
        "DependsOn": "Policy",
        "Properties": {
            "TopicArn": {"Ref": "Topic"},
            "Protocol": "sqs",
            "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]},
        },
    },
}
"""Resources of a template."""


def next_messages(cloud: Cloud, queue: str, count: int) -> list[dict[str, Any]]:
    """The next messages of a queue that is subscribed to a topic, in order; fewer if they do not come in time."""
    sqs, found = cloud.client("sqs"), []
    deadline = time.monotonic() + 30
    while len(found) < count and time.monotonic() < deadline:
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        for one in received:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
            envelope = json.loads(one["Body"])
            found.append(json.loads(envelope["Message"]))
    return found


def eventually(condition: Callable[[], Any], what: str) -> Any:
    """The first true result of a condition. Fails after thirty seconds."""
    deadline = time.monotonic() + 30
    while not (result := condition()):
        assert time.monotonic() < deadline, f"timed out: {what}"
        time.sleep(0.1)
    return result
