"""Values that one stack reads from another without locking it.

The CDK's classic cross-stack references are exports, and CloudFormation refuses to change an export in use: a store
whose endpoint is exported can no longer be replaced. The CDK's weak references (``Stack.consume_reference``) avoid
that, but accept plain attributes only; a secret's ARN is a composed string.
"""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
from constructs import Construct, IConstruct

from cdk_redis._core.tokens import is_token


def read_weakly(reader: IConstruct, owner: Construct, name: str, value: str) -> str:
    """Read a value of an owner in another stack from a plain output of that stack.

    The caller makes the reader's stack wait for the owner's.

    Args:
        reader: Who reads.
        owner: Construct that the value comes from. Its stack gets the output, and may be in another Region. For a
            construct in a nested stack, the outermost stack gets it.
        name: Name of the value among the owner's.
        value: The value. It is returned as it is if it is no token, or if the owner is in the reader's own stack or
            in a stack that is nested with it: the CDK passes values between those without exports.
    """
    stack = outer_stack(owner)
    if outer_stack(reader) is stack or not is_token(value):
        return value
    outputs = _outputs(owner, stack)
    output = _child(outputs, name)
    if not isinstance(output, cdk.CfnOutput):
        output = cdk.CfnOutput(outputs, name, value=value)
    reference = {"StackName": stack.stack_name, "OutputName": stack.get_logical_id(output)}
    if stack.region != cdk.Stack.of(reader).region:
        reference["Region"] = stack.region
    # Not Fn.get_stack_output, which the oldest supported aws-cdk-lib does not have.
    return cdk.Token.as_string({"Fn::GetStackOutput": reference})


def deploy_after(reader: IConstruct, owner: IConstruct) -> None:
    """Have the stack of a reader deployed after the stack of what it reads from."""
    stack = cdk.Stack.of(reader)
    # Renamed within aws-cdk-lib 2; the older name is deprecated in newer versions.
    add = stack.add_stack_dependency if hasattr(stack, "add_stack_dependency") else stack.add_dependency
    add(cdk.Stack.of(owner))


def outer_stack(construct: IConstruct) -> cdk.Stack:
    """The stack of a construct; for a nested stack, the outermost stack around it."""
    stack = cdk.Stack.of(construct)
    while stack.nested_stack_parent is not None:
        stack = stack.nested_stack_parent
    return stack


def _outputs(owner: Construct, stack: cdk.Stack) -> Construct:
    if cdk.Stack.of(owner) is stack:
        return _child(owner, "Outputs") or Construct(owner, "Outputs")
    of_nested = f"{cdk.Names.node_unique_id(owner.node)}Outputs"
    return _child(stack, of_nested) or Construct(stack, of_nested)


def _child(construct: Construct, id: str) -> Construct | None:
    return cast("Construct | None", construct.node.try_find_child(id))
