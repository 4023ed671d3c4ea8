"""Values that one stack reads from another without locking it.

The CDK's own cross-stack references are exports, and CloudFormation refuses to change an export in use: a store whose
endpoint is exported cannot be replaced any more. Its weak references (``Stack.consume_reference``) do without, and
take nothing but plain attributes; a secret's ARN is not one.
"""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
from constructs import Construct

from cdk_redis._core.tokens import is_token


def read_weakly(reader: Construct, owner: Construct, name: str, value: str) -> str:
    """Read a value of an owner in another stack from a plain output of that stack.

    The caller makes the reader's stack wait for the owner's.

    Args:
        reader: Who reads.
        owner: Whose value it is; its stack gets the output, below the owner. It may stand in
            another Region.
        name: Name of the value among the owner's.
        value: The value; what is no token, or belongs to the reader's own stack, is given back as it is.
    """
    stack = cdk.Stack.of(owner)
    if cdk.Stack.of(reader) is stack or not is_token(value):
        return value
    outputs = _child(owner, "Outputs") or Construct(owner, "Outputs")
    output = _child(outputs, name)
    if not isinstance(output, cdk.CfnOutput):
        output = cdk.CfnOutput(outputs, name, value=value)
    reference = {"StackName": stack.stack_name, "OutputName": stack.get_logical_id(output)}
    if stack.region != cdk.Stack.of(reader).region:
        reference["Region"] = stack.region
    # In CloudFormation's own words: Fn.get_stack_output is younger than the oldest aws-cdk-lib that will do.
    return cdk.Token.as_string({"Fn::GetStackOutput": reference})


def deploy_after(reader: Construct, owner: Construct) -> None:
    """Have the stack of a reader deployed after the stack of what it reads from."""
    stack = cdk.Stack.of(reader)
    # Renamed within aws-cdk-lib 2; the older name is deprecated in newer versions.
    add = stack.add_stack_dependency if hasattr(stack, "add_stack_dependency") else stack.add_dependency
    add(cdk.Stack.of(owner))


def _child(construct: Construct, id: str) -> Construct | None:
    return cast("Construct | None", construct.node.try_find_child(id))
