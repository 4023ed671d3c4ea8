"""Synthesizes the app and all examples with cdk-nag: ``python scan.py REPOSITORY OUT``.

Runs in the environment of the scanners, see tests/compliance/test_scanners.py. Each app gets a folder in ``OUT`` with
its templates and, in ``validation-report.json``, what cdk-nag found.
"""

from __future__ import annotations

import contextlib
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks  # pyright: ignore

_APP: Any = cdk.App


def main(repository: Path, out: Path) -> None:
    """Synthesize each app in a folder of its own."""
    context = json.loads((repository / "cdk.json").read_text())["context"]
    sys.path[:0] = [str(repository), str(repository / "constructs")]
    examples = repository / "examples"
    scripts = {f"app-{name}": (repository / "app.py", {"env": name}) for name in ("dev", "prod")}
    for script in sorted([*examples.glob("*.py"), *examples.glob("*/app.py")]):
        scripts["-".join(script.relative_to(examples).with_suffix("").parts)] = (script, {})
    for name, (script, settings) in scripts.items():
        cdk.App = _app_class(out / name, {**context, **settings})
        runpy.run_path(str(script), run_name="__main__")


def _app_class(folder: Path, settings: dict[str, object]) -> Any:
    class ScannedApp(_APP):
        def __init__(self, *, context: dict[str, object] | None = None, **_options: object) -> None:
            super().__init__(context={**(context or {}), **settings}, outdir=str(folder))
            cdk.Validations.of(self).add_plugins(AwsSolutionsChecks())

        def synth(self, **options: Any) -> Any:
            # A finding ends the synthesis with an error, after the templates and the report are written.
            with contextlib.suppress(RuntimeError):
                return super().synth(**options)

    return ScannedApp


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
