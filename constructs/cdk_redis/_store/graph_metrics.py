"""Metrics for graphs only: formulas of more metrics than an alarm can have."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch

from cdk_redis._core.errors import ConfigurationError


class GraphExpression(cloudwatch.MathExpression):
    """A formula of more metrics than an alarm can have: ``create_alarm`` raises an error that says so.

    The CDK raises one without the store and the way out.
    """

    def __init__(self, where: str, problem: str, **given: Any) -> None:
        super().__init__(**given)
        self._where = where
        self._problem = problem

    def create_alarm(self, *_: object, **__: object) -> cloudwatch.Alarm:
        """Raise an error.

        Raises:
            ConfigurationError: Always.
        """
        raise ConfigurationError(self._where, [self._problem])
