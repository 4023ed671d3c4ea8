"""``AWS::IAM::AccessKey``, which the emulator's IAM API supports, but its CloudFormation does not."""

from __future__ import annotations

import re

from cdk_redis_local._emulator.ministack import HANDLERS, Outcome, Properties, call_iam, replace_on_change

_ACCESS_KEY = "AWS::IAM::AccessKey"


def register_access_keys() -> None:
    """Register the handlers: ``Ref`` returns the access key id, ``SecretAccessKey`` the secret key."""
    # IAM returns a secret key only once, and a stack may need it at every update.
    secrets: dict[str, str] = {}

    def create(logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        del logical_id, stack_name
        made = call_iam("CreateAccessKey", UserName=properties["UserName"])
        key = _text(made, "AccessKeyId")
        secrets[key] = _text(made, "SecretAccessKey")
        return update(key, {}, properties, "")

    def update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Outcome:
        del old, stack_name
        call_iam("UpdateAccessKey", AccessKeyId=physical_id, Status=new.get("Status", "Active"))
        return physical_id, {"SecretAccessKey": secrets[physical_id]}

    def delete(physical_id: str, properties: Properties) -> None:
        del properties
        call_iam("DeleteAccessKey", AccessKeyId=physical_id)
        secrets.pop(physical_id, None)

    HANDLERS[_ACCESS_KEY] = {"create": create, "update": update, "delete": delete}
    replace_on_change(_ACCESS_KEY, None, ("UserName", "Serial"))


def _text(answer: str, name: str) -> str:
    found = re.search(f"<{name}>([^<]+)</{name}>", answer)
    if found is None:
        raise ValueError(f"IAM's answer has no {name}")
    return found[1]
