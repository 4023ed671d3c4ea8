"""Who signed a token, and whether IAM lets them connect: asked of the emulator's own IAM."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import datetime as dt

from botocore.credentials import Credentials
from ministack.core.iam_evaluator import (
    AuthError,
    CredentialResolutionError,
    EvalContext,
    PrincipalInfo,
    _gather_role_policies,
    evaluate,
    resolve_credential,
    resolve_principal,
)
from ministack.core.responses import request_scope

from ._token_check import TokenRefusedError, TokenTarget, check_token


def authorize(token: str, user: str, target: TokenTarget) -> str:
    """Check a token and the permission of whoever signed it; returns the caller's ARN.

    As on AWS, ``elasticache:Connect`` or ``memorydb:Connect`` must be allowed on the store *and* on the user.

    Raises:
        TokenRefusedError: The token is not accepted, or its signer is not allowed to connect.
    """

    def find_credentials(access_key_id: str, session_token: str | None) -> Credentials:
        found = resolve_credential(access_key_id, target.account, session_token or "")
        if isinstance(found, CredentialResolutionError):
            raise TokenRefusedError("nobody has these credentials, or they have expired")
        return Credentials(found.access_key_id, found.secret_access_key, found.session_token)

    signed = check_token(
        token,
        user=user,
        target=target,
        find_credentials=find_credentials,
        now=dt.datetime.now(dt.timezone.utc),
    )
    # Policies are stored by account and Region, which the emulator takes from the request it serves.
    with request_scope(target.account, target.region):
        principal = resolve_principal(signed.access_key_id, target.account)
        if isinstance(principal, AuthError):
            raise TokenRefusedError("nobody has these credentials, or they have expired")
        for arn in connect_arns(target, user):
            _check_allowed(principal, target, arn)
    return principal.arn


def role_may(role: str, action: str, resource: str) -> bool:
    """Whether its policies allow a role, by its ARN, an action on a resource."""
    account, name = role.split(":")[4], role.rpartition("/")[2]
    principal = PrincipalInfo(role, "AssumedRole", account, _gather_role_policies(name, account))
    return _is_allowed(principal, action, resource, resource.split(":")[3])


def connect_arns(target: TokenTarget, user: str) -> list[str]:
    """The two resources that a caller must be allowed to connect to."""
    start = f"arn:aws:{target.service}:{target.region}:{target.account}"
    if target.service == "elasticache":
        return [f"{start}:replicationgroup:{target.store}", f"{start}:user:{user}"]
    return [f"{start}:cluster/{target.store}", f"{start}:user/{user}"]


def _check_allowed(principal: PrincipalInfo, target: TokenTarget, arn: str) -> None:
    if principal.policies is None:  # the account's root, who may do everything
        return
    action = f"{target.service}:Connect"
    if not _is_allowed(principal, action, arn, target.region):
        raise TokenRefusedError(f"{principal.arn} is not allowed {action} on {arn}")


def _is_allowed(principal: PrincipalInfo, action: str, resource: str, region: str) -> bool:
    context = EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=action,
        resource_arn=resource,
        region=region,
        principal_keys=principal.keys,
    )
    return evaluate(context, principal.policies or [], *principal.limits).decision == "Allow"
