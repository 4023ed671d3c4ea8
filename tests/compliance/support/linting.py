"""Errors that cfn-lint finds in a template."""

from __future__ import annotations

from collections.abc import Sequence

from cfnlint.api import ManualArgs, lint

# Regions of the stacks of the app and of the examples.
REGIONS = ("us-east-1", "eu-west-1", "us-west-2", "eu-central-1")
# False positives, by rule, each with the reason.
FALSE_POSITIVES = {
    # The schema has `{"$ref": <an enumeration of strings>, "type": "object"}` for DataTiering: no value fits.
    "E3012": "'true' is not of type 'object'",
}


def lint_errors(template: str, regions: Sequence[str] = REGIONS) -> list[str]:
    """Lint a template as it is deployed to these Regions."""
    return [
        f"{match.rule.id} {match.path}: {match.message}"
        for match in lint(template, config=ManualArgs(regions=[*regions]))
        if match.rule.severity == "error" and FALSE_POSITIVES.get(match.rule.id, "-") not in match.message
    ]
