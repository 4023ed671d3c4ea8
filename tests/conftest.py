"""What every test needs: guards of the layout, quiet and fast synths."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

# Both before aws_cdk is imported: afterwards the message would be "No module named 'constructs._jsii'".
if (REPOSITORY / "constructs" / "__init__.py").exists():
    pytest.exit("constructs/__init__.py shadows the library that aws-cdk-lib needs: delete it (see CONTRIBUTING.md)", 4)
if importlib.util.find_spec("constructs._jsii") is None:
    pytest.exit("the packages are not installed: run the tests with 'make test' or 'make unit'", 4)

# aws-cdk-lib validates the templates of each process for seconds; tests/compliance/ does so on purpose.
os.environ["CDK_VALIDATION"] = "false"
# jsii starts "node" from PATH: the virtual environment's is the one that requirements-dev.txt pins.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
# Where that is not installed, any Node.js will do for a test, without ten lines of warning in each process.
os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "true"
os.environ["JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION"] = "true"
# The account and Region of whoever runs the tests must not find their way into a template.
for _variable in ("CDK_DEFAULT_ACCOUNT", "CDK_DEFAULT_REGION"):
    os.environ.pop(_variable, None)


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the repository."""
    return REPOSITORY
