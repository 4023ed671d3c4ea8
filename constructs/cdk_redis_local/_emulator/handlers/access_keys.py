"""Access keys in CloudFormation, which the emulator's IAM has, but not its CloudFormation."""

from __future__ import annotations

import re

from cdk_redis_local._emulator.ministack import HANDLERS, Outcome, Properties, call_iam, replace_on_change

_ACCESS_KEY = "AWS::IAM::AccessKey"


def register_access_keys() -> None:
    """Put the handlers into the emulator's table: ``Ref`` gives the key's id, ``SecretAccessKey`` its secret."""
    # IAM tells a secret once, and a stack may ask for it at every update.
    told: dict[str, str] = {}

    def create(logical_id: str, properties: Properties, stack_name: str) -> Outcome:
        del logical_id, stack_name
        made = call_iam("CreateAccessKey", UserName=properties["UserName"])
        key = _text(made, "AccessKeyId")
        told[key] = _text(made, "SecretAccessKey")
        return update(key, {}, properties, "")

    def update(physical_id: str, old: Properties, new: Properties, stack_name: str) -> Outcome:
        del old, stack_name
        call_iam("UpdateAccessKey", AccessKeyId=physical_id, Status=new.get("Status", "Active"))
        return physical_id, {"SecretAccessKey": told[physical_id]}

    def delete(physical_id: str, properties: Properties) -> None:
        del properties
        call_iam("DeleteAccessKey", AccessKeyId=physical_id)
        told.pop(physical_id, None)

    HANDLERS[_ACCESS_KEY] = {"create": create, "update": update, "delete": delete}
    replace_on_change(_ACCESS_KEY, None, ("UserName", "Serial"))


def _text(answer: str, name: str) -> str:
    found = re.search(f"<{name}>([^<]+)</{name}>", answer)
    if found is None:
        raise ValueError(f"IAM's answer has no {name}")
    return found[1]
