"""Values that one stack reads from another one without an export.

By default, the CDK exports values that another stack uses, and CloudFormation does not change an export in use: a store
whose endpoint is exported can no longer be replaced. The CDK's weak references (``Stack.consume_reference``) avoid
that, but accept attributes only, and the ARN of a secret is a composed string.
"""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
from constructs import Construct, IConstruct

from cdk_redis._core.errors import ConfigurationError, problem
from cdk_redis._core.tokens import is_token


def read_weakly(reader: IConstruct, owner: Construct, name: str, value: str) -> str:
    """Read a value of a construct in another stack from an output of that stack that is not exported.

    Call `deploy_after` as well, so that the output exists when the reader's stack is deployed.

    Args:
        reader: Construct that uses the value.
        owner: Construct that the value comes from. The output is added to its stack, which may be in another Region.
            If that is a nested stack, the output is added to the outermost stack.
        name: Name of the value, unique for the owner.
        value: The value. It is returned unchanged if it is not a token, or if both constructs are in the same stack or
            in stacks nested in the same stack: the CDK passes values between those without exports.
    """
    stack = outer_stack(owner)
    if outer_stack(reader) is stack or not is_token(value):
        return value
    owner, stack = _producer(owner, stack, value)
    if outer_stack(reader) is stack:
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
    """Deploy the stack of the reader after the stack of the owner."""
    stack = cdk.Stack.of(reader)
    # Renamed within aws-cdk-lib 2; the older name is deprecated in newer versions.
    add = stack.add_stack_dependency if hasattr(stack, "add_stack_dependency") else stack.add_dependency
    add(cdk.Stack.of(owner))


def require_order(construct: IConstruct, parameter: str, used: IConstruct) -> None:
    """Deploy the stack of a construct after the stack of another one that it refers to.

    The CDK does this at the end of the synth, and its error about a cycle names neither parameter nor remedy.

    Args:
        construct: The construct.
        parameter: The parameter of it that was given the other one.
        used: The other construct.

    Raises:
        ConfigurationError: If that stack is deployed after the construct's.
    """
    own, other = outer_stack(construct), outer_stack(used)
    if own is other:
        return
    try:
        deploy_after(construct, used)
    except RuntimeError:
        first, last = other.node.path, own.node.path
        reason = f"stack {first} is deployed after stack {last} and would have to be deployed before it as well"
        hint = f"define it in stack {last}, or in a third stack"
        raise ConfigurationError(construct.node.path, [problem(parameter, used.node.path, reason, hint)]) from None


def outer_stack(construct: IConstruct) -> cdk.Stack:
    """The stack of a construct; for a nested stack, the outermost stack around it."""
    stack = cdk.Stack.of(construct)
    while stack.nested_stack_parent is not None:
        stack = stack.nested_stack_parent
    return stack


def refer_weakly(owner: IConstruct, reader: IConstruct | None = None) -> None:
    """Let other stacks read the attributes of all resources below a construct without exports.

    This is for references that the CDK makes, such as that of a function to its subnets, and applies whatever the
    feature flag ``@aws-cdk/core:defaultCrossStackReferences`` says. Versions of aws-cdk-lib before 2.254 only have
    exports.

    Args:
        owner: The construct.
        reader: Construct that uses the attributes. Nothing changes if it is in the stack of the owner.
            Default: - any, in stacks that are not known yet.
    """
    strength = getattr(cdk, "ReferenceStrength", None)
    if strength is None or (reader is not None and outer_stack(reader) is outer_stack(owner)):
        return
    for construct in owner.node.find_all():
        if isinstance(construct, cdk.CfnResource):
            construct.apply_cross_stack_reference_strength(strength.WEAK)


def _producer(owner: Construct, stack: cdk.Stack, value: str) -> tuple[Construct, cdk.Stack]:
    """The construct below which a value's output is added, and its stack.

    A value of a third stack, such as the secret of a user that stores share, is read from that stack: in an output of
    the owner's stack, the CDK would read it by an export.
    """
    target = getattr(cdk.Tokenization.reverse_string(value).first_token, "target", None)
    if target is None or outer_stack(target) is stack:
        return owner, stack
    return cast("Construct", target.node.scope), outer_stack(target)


def _outputs(owner: Construct, stack: cdk.Stack) -> Construct:
    if cdk.Stack.of(owner) is stack:
        return _child(owner, "Outputs") or Construct(owner, "Outputs")
    of_nested = f"{cdk.Names.node_unique_id(owner.node)}Outputs"
    return _child(stack, of_nested) or Construct(stack, of_nested)


def _child(construct: Construct, id: str) -> Construct | None:
    return cast("Construct | None", construct.node.try_find_child(id))
