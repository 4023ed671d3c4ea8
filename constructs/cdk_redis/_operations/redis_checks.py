"""Rules for stores that no scanner has, as a policy validation plug-in of the CDK.

cdk.Validations.of(app).add_plugins(RedisChecks())
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import jsii

from cdk_redis._operations.redis_rules import RULES, Template
from cdk_redis_runtime._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = "RedisChecks"
# Older versions of aws-cdk-lib have the names with Beta1 only; newer ones have both.
_API: Any = cdk
_BETA = "" if hasattr(cdk, "IPolicyValidationPlugin") else "Beta1"
_INTERFACES = [
    found for name in ("IPolicyValidationPlugin", "IPolicyValidationPluginBeta1") if (found := getattr(cdk, name, None))
]


def _type(name: str) -> Any:
    return getattr(_API, name + _BETA)


@jsii.implements(*_INTERFACES)
class RedisChecks:
    """Checks the stores of an app at synth, those of L1 constructs and of other libraries included.

    It reads the templates. Each rule is an error that fails the synthesis; accept one with `acknowledge`, for example
    ``acknowledge(user, {"RedisChecks-WideAccess": "the operators' user"})``. What a template does not show, such as a
    security group of another stack, is not checked. docs/compliance.md lists the rules.

    With a version of aws-cdk-lib without ``Validations``, give it to ``cdk.App(policy_validation_beta1=[...])``.
    """

    @property
    def name(self) -> str:
        """Name in the report."""
        return _NAME

    @property
    def version(self) -> str:
        """Version of this library."""
        return __version__

    @property
    def rule_ids(self) -> Sequence[str]:
        """Names of the rules."""
        return [f"{_NAME}-{rule.name}" for rule in RULES]

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Check the templates; the CDK calls it.

        Args:
            context: Where the templates are.
        """
        templates = {path: Template(json.loads(Path(path).read_text())) for path in context.template_paths}
        violations = [found for rule in RULES if (found := _violation(rule, templates)) is not None]
        return _type("PolicyValidationPluginReport")(
            success=not violations, violations=violations, plugin_version=__version__
        )


def _violation(rule: Any, templates: Mapping[str, Template]) -> Any:
    resources = [
        _type("PolicyViolatingResource")(
            resource_logical_id=logical_id, template_path=path, locations=[f"Properties.{name}"]
        )
        for path, template in templates.items()
        for logical_id, name in rule.find(template)
    ]
    if not resources:
        return None
    return _type("PolicyViolation")(
        rule_name=f"{_NAME}-{rule.name}",
        description=rule.description,
        fix=rule.fix,
        severity="error",
        violating_resources=resources,
    )
