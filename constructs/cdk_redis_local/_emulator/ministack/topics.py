"""The emulator's SNS topics."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import sns


def topic_attributes(arn: str) -> Mapping[str, Any] | None:
    """The attributes of a topic; None if it does not exist."""
    with _owner_scope(arn):
        topic = sns._topic_by_arn_any_scope(arn)
    return None if topic is None else topic["attributes"]


def publish(arn: str, message: str, subject: str = "") -> None:
    """Deliver a message to the subscriptions of a topic, which must exist; AWS services do not sign requests for it."""
    with _owner_scope(arn):
        sns._fanout(arn, str(uuid.uuid4()), message, subject)


def _owner_scope(arn: str) -> AbstractContextManager[Any]:
    # arn:aws:sns:us-east-1:000000000000:the-topic
    _, _, _, region, account, _ = arn.split(":", 5)
    return request_scope(account, region)
