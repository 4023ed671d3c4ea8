"""Finds the IAM principal that signed a request or a token, and checks its permissions in the emulator's IAM."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import datetime as dt
import os

from botocore.credentials import Credentials
from ministack.core.iam_evaluator import (
    AmbiguousAccessKeyError,
    AuthError,
    CredentialResolutionError,
    EvalContext,
    PrincipalInfo,
    _gather_role_policies,
    evaluate,
    find_iam_access_key_account,
    is_root_access_key,
    resolve_credential,
    resolve_principal,
)
from ministack.core.responses import _account_from_sts_session, get_account_id, request_scope

from cdk_redis_local._gates.signatures import SignatureRefusedError
from cdk_redis_local._gates.token_check import TokenRefusedError, TokenTarget, check_token

_UNKNOWN_CREDENTIALS = "the credentials do not exist, or they have expired"


def find_credentials(access_key_id: str, session_token: str | None, account: str | None = None) -> Credentials:
    """The credentials of an access key id: the cloud's root user, an IAM user or a session.

    The emulator also accepts ``test`` and every account number as the account's root. This function rejects them.

    Args:
        access_key_id: The access key id in the request.
        session_token: The session token in the request; must match the session.
        account: The account that the key must belong to. Default: - any account.

    Raises:
        SignatureRefusedError: The credentials do not exist or have expired.
    """
    if is_root_access_key(access_key_id) and access_key_id != os.environ["AWS_ACCESS_KEY_ID"]:
        raise SignatureRefusedError(_UNKNOWN_CREDENTIALS, "InvalidClientTokenId")
    try:
        account = account or _account_from_sts_session(access_key_id) or find_iam_access_key_account(access_key_id)
    except AmbiguousAccessKeyError:
        raise SignatureRefusedError(_UNKNOWN_CREDENTIALS, "InvalidClientTokenId") from None
    found = resolve_credential(access_key_id, account or get_account_id(), session_token or "")
    if isinstance(found, CredentialResolutionError):
        raise SignatureRefusedError(_UNKNOWN_CREDENTIALS, found.code)
    return Credentials(found.access_key_id, found.secret_access_key, found.session_token)


def authorize(token: str, user: str, target: TokenTarget) -> str:
    """Check a token and the permissions of its signer; returns the signer's ARN.

    As on AWS, the policies must allow ``elasticache:Connect`` or ``memorydb:Connect`` on the store *and* on the user.

    Raises:
        TokenRefusedError: The token is not valid, or its signer may not connect.
    """
    signed = check_token(
        token,
        user=user,
        target=target,
        find_credentials=lambda key, session: find_credentials(key, session, target.account),
        now=dt.datetime.now(dt.timezone.utc),
    )
    # The emulator stores policies by account and Region, and reads both from the request scope.
    with request_scope(target.account, target.region):
        principal = resolve_principal(signed.access_key_id, target.account)
        if isinstance(principal, AuthError):
            raise TokenRefusedError(_UNKNOWN_CREDENTIALS)
        for arn in connect_arns(target, user):
            _check_allowed(principal, target, arn)
    return principal.arn


def role_may(role: str, action: str, resource: str) -> bool:
    """Whether the policies of a role (an ARN) allow an action on a resource."""
    account, name = role.split(":")[4], role.rpartition("/")[2]
    principal = PrincipalInfo(role, "AssumedRole", account, _gather_role_policies(name, account))
    return _is_allowed(principal, action, resource, resource.split(":")[3])


def connect_arns(target: TokenTarget, user: str) -> list[str]:
    """The two resources that a caller must be allowed to connect to."""
    start = f"arn:aws:{target.service}:{target.region}:{target.account}"
    if target.service == "elasticache":
        kind = "serverlesscache" if target.serverless else "replicationgroup"
        return [f"{start}:{kind}:{target.store}", f"{start}:user:{user}"]
    return [f"{start}:cluster/{target.store}", f"{start}:user/{user}"]


def _check_allowed(principal: PrincipalInfo, target: TokenTarget, arn: str) -> None:
    if principal.policies is None:  # the account's root user, which has all permissions
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
