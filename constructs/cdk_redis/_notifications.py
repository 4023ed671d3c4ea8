"""Notifications: the topic that a store tells of failovers, new nodes and maintenance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from ._tokens import is_token

if TYPE_CHECKING:
    from aws_cdk import aws_sns as sns
    from constructs import IConstruct

    from ._errors import Problems


def check_notification_topic(problems: Problems, scope: IConstruct, topic: sns.ITopic | None) -> None:
    """Note a topic that the services cannot write to: one of another account or Region, or a queue-like one.

    Args:
        problems: Where to note it.
        scope: The store.
        topic: As given to the store.
    """
    if topic is None:
        return
    if topic.fifo:
        problems.add("notification_topic", topic.node.path, "a store tells no FIFO topic", "use a standard topic")
    stack = cdk.Stack.of(scope)
    for what, own, other in (
        ("account", stack.account, topic.env.account),
        ("Region", stack.region, topic.env.region),
    ):
        if not is_token(own) and not is_token(other) and own != other:
            allowed = f"the store is in {own}"
            mend = f"use a topic of that {what}"
            problems.add("notification_topic", f"a topic in {other}", allowed, mend)
