"""Calls of AWS services, with botocore, which is imported when it is needed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, cast

from cdk_redis_runtime._command.options import UsageError, region_of

_ACCESS_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_NOT_FOUND = ("ResourceNotFoundException", "StateMachineDoesNotExist", "ExecutionDoesNotExist")


class AwsRefusedError(UsageError):
    """AWS refused a call.

    Attributes:
        denied: Whether the caller has no permission.
        not_found: Whether what it names does not exist.
    """

    def __init__(self, message: str, code: str, reason: str) -> None:
        """Keep the code of AWS's answer."""
        self.denied = code in _ACCESS_DENIED
        # CloudFormation has a message only, with the code ValidationError.
        self.not_found = code in _NOT_FOUND or "does not exist" in reason
        super().__init__(message)


class Aws:
    """The clients of one command, in one Region."""

    def __init__(self, region: str | None) -> None:
        """Keep the Region; nothing is imported or called yet.

        Args:
            region: Default: - that of the profile.
        """
        self._region = region
        self._session: Any = None
        self._clients: dict[str, Any] = {}

    @classmethod
    def of(cls, options: argparse.Namespace) -> Aws:
        """The clients in the Region of the options or of the environment."""
        return cls(region_of(options))

    def call(self, service: str, method: str, what: str, verb: str = "read", **parameters: Any) -> dict[str, Any]:
        """Call one action.

        Args:
            service: Service, as botocore names it.
            method: Action, as botocore names it.
            what: What is read, for messages, such as ``the stack Orders``.
            verb: What is done to it, for messages.
            parameters: Those of the action.

        Raises:
            AwsRefusedError: AWS answered with an error.
            UsageError: botocore, credentials or a Region is missing, or AWS does not answer.
        """
        try:
            from botocore import exceptions as aws_errors
        except ImportError:
            raise UsageError(
                f"{what} cannot be {verb} without botocore: pip install 'cdk-redis-runtime[cli]'"
            ) from None
        try:
            return cast("dict[str, Any]", getattr(self._client(service), method)(**parameters))
        except aws_errors.ClientError as error:
            details: dict[str, Any] = cast("Any", error).response.get("Error", {})
            code, reason = str(details.get("Code", "unknown")), str(details.get("Message", ""))
            message = f"{what} could not be {verb} ({code}: {reason}); --region chooses another Region"
            raise AwsRefusedError(message, code, reason) from None
        except aws_errors.NoRegionError:
            raise UsageError("--region is needed, or AWS_REGION") from None
        except aws_errors.BotoCoreError as error:
            raise UsageError(f"{what} could not be {verb} ({type(error).__name__}: {error})") from None

    def pages(self, service: str, method: str, what: str, token: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Call an action until it has no further page; ``token`` is the name of the parameter for the next one."""
        while True:
            page = self.call(service, method, what, **parameters)
            yield page
            if not page.get(token):
                return
            parameters[token] = page[token]

    def _client(self, service: str) -> Any:
        from botocore.session import get_session

        self._session = self._session or get_session()
        if service not in self._clients:
            self._clients[service] = self._session.create_client(service, region_name=self._region)
        return self._clients[service]
