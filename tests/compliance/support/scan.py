"""Synthesizes the app, all examples and stores with one safe default off, with all packs of cdk-nag.

``python scan.py OUT`` runs in the environment of the scanners, see tests/compliance/test_scanners.py. The app and the
examples begin from `Preset.prod`. Each app gets a folder in ``OUT`` with its templates, its manifest and, in
``validation-report.json``, what cdk-nag and aws-cdk-lib found.
"""

from __future__ import annotations

import contextlib
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import cdk_nag  # pyright: ignore

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "constructs")]
from cdk_redis import Preset, RedisChecks  # noqa: E402
from tests.compliance.support.switched_off import ROWS, build  # noqa: E402

_APP: Any = cdk.App
_PACKS: Any = (
    cdk_nag.AwsSolutionsChecks,
    cdk_nag.HIPAASecurityChecks,
    cdk_nag.NIST80053R5Checks,
    cdk_nag.PCIDSS321Checks,
    cdk_nag.ServerlessChecks,
)


def main(out: Path) -> None:
    """Synthesize each app in a folder of its own."""
    context = json.loads((REPOSITORY / "cdk.json").read_text())["context"]
    examples = REPOSITORY / "examples"
    scripts: dict[str, tuple[Path, dict[str, object]]] = {"app-prod": (REPOSITORY / "app.py", {"env": "prod"})}
    for script in sorted([*examples.glob("*.py"), *examples.glob("*/app.py")]):
        scripts["-".join(script.relative_to(examples).with_suffix("").parts)] = (script, {})
    for name, (script, settings) in scripts.items():
        cdk.App = _app_class(out / name, {**context, **settings})
        runpy.run_path(str(script), run_name="__main__")
    app = _app_class(out / "switched-off", context)()
    for row in ROWS:
        build(app, row)
    app.synth()


def _app_class(folder: Path, settings: dict[str, object]) -> Any:
    class ScannedApp(_APP):
        def __init__(self, *, context: dict[str, object] | None = None, **_options: object) -> None:
            paths = {"aws:cdk:enable-path-metadata": True}
            super().__init__(context={**(context or {}), **settings, **paths}, outdir=str(folder))
            Preset.prod().use_in(self)
            cdk.Validations.of(self).add_plugins(RedisChecks(), *(pack() for pack in _PACKS))

        def synth(self, **options: Any) -> Any:
            # A finding ends the synthesis with an error, after the templates and the report are written.
            with contextlib.suppress(RuntimeError):
                return super().synth(**options)

    return ScannedApp


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
