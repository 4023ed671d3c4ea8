"""The error that an action answers with."""

from __future__ import annotations


class ApiError(Exception):
    """A request fails with an error of the service.

    Attributes:
        code: Name of the error in botocore's model of the service, such as ``SnapshotNotFoundFault``.
        message: What is wrong. If the local cloud lacks something, it begins with "the local cloud".
    """

    def __init__(self, code: str, message: str) -> None:
        """Describe the error."""
        super().__init__(code, message)
        self.code = code
        self.message = message
