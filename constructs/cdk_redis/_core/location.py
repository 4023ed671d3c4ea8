"""Where a resource is: its Region and its account, compared with those of the construct that uses it.

Most AWS services look up a name or an ARN in one Region of one account only, and say after minutes that a resource of
another one does not exist. A Region or an account that is not known at synth is not compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from cdk_redis._core.tokens import is_token

if TYPE_CHECKING:
    from constructs import IConstruct

    from cdk_redis._core.errors import Problems


def check_location(
    problems: Problems,
    parameter: str,
    given: object,
    what: str,
    *,
    scope: IConstruct,
    user: str = "the store",
    region: bool = True,
    account: bool = False,
    arn: str = "",
) -> None:
    """Check that a resource is in the Region, or in the account, of the construct that uses it.

    Args:
        problems: Where to add problems.
        parameter: Name of the parameter.
        given: The resource, defined or imported; None, and anything that is not a resource, passes.
        what: The kind of the resource, such as ``"a topic"``.
        scope: The construct that uses it.
        user: The name of that construct in messages.
        region: Whether the Regions must be the same.
        account: Whether the accounts must be the same.
        arn: ARN of the resource, for a construct that does not read it when it is imported.
    """
    found = getattr(given, "env", None)
    if found is None:
        return
    stack = cdk.Stack.of(scope)
    parts = [] if is_token(arn) else arn.split(":")
    its_region, its_account = parts[3:5] if len(parts) > 4 else (found.region, found.account)
    for name, wanted, own, other in (
        ("account", account, stack.account, its_account),
        ("Region", region, stack.region, its_region),
    ):
        if wanted and are_different(own, other):
            problems.add(parameter, f"{what} in {other}", f"{user} is in {own}", f"use {what} of that {name}")


def are_different(one: str | None, other: str | None) -> bool:
    """Whether two Regions, two accounts or two partitions are known, and differ."""
    return bool(one) and bool(other) and one != other and not is_token(one) and not is_token(other)
