"""The code of the smoke-test function: redis-py and our run-time package, copied from where they are installed.

No Docker, no network, no pip at synth: both are pure Python, and the rest (botocore) is part of the Lambda runtime.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from importlib import metadata, util
from pathlib import Path

_PACKAGES = ("cdk_redis_runtime", "redis")
# Lambda runs the function as another user than the one who owns its files, with the modes that the CDK CLI put into the
# zip; those of a checkout and of a virtual environment depend on the umask.
_FOLDER_MODE, _FILE_MODE = 0o755, 0o644


@contextmanager
def smoke_test_code() -> Generator[tuple[Path, str], None, None]:
    """Lay the code out in a temporary folder.

    Yields:
        The folder, which is gone afterwards, and a hash of names, contents and the modes that the files have in the
        asset: the same for the same code on every machine, whatever the times, owners and modes of the sources are.
    """
    with tempfile.TemporaryDirectory(prefix="cdk-redis-") as temporary:
        folder = Path(temporary)
        code_hash = hashlib.sha256()
        for relative, source in _files():
            target = folder / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            code_hash.update(f"{relative.as_posix()}\0{_FILE_MODE:o}\0{source.stat().st_size}\0".encode())
            code_hash.update(source.read_bytes())
        for path in folder.rglob("*"):
            path.chmod(_FOLDER_MODE if path.is_dir() else _FILE_MODE)
        yield folder, code_hash.hexdigest()


def _files() -> list[tuple[Path, Path]]:
    """Source files by their place in the asset, in an order that no file system decides."""
    found = [(relative, source) for package in _PACKAGES for relative, source in _sources(package)]
    # redis-py tells the server its version, which it reads from its metadata.
    distribution = metadata.distribution("redis")
    found.append((Path(f"redis-{distribution.version}.dist-info/METADATA"), _metadata_file(distribution)))
    return sorted(found)


def _sources(package: str) -> list[tuple[Path, Path]]:
    spec = util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is not installed: pip install cdk-redis", name=package)
    root = Path(next(iter(spec.submodule_search_locations)))
    return [(Path(package) / source.relative_to(root), source) for source in root.rglob("*.py")]


def _metadata_file(distribution: metadata.Distribution) -> Path:
    for file in distribution.files or ():
        if file.name == "METADATA":
            return Path(str(distribution.locate_file(file)))
    raise FileNotFoundError("the redis distribution has no METADATA file: install it again")
