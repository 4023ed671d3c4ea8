"""The code of the smoke test's function: redis-py and cdk_redis_runtime, copied from the Python environment.

Both are pure Python, and the Lambda runtime has botocore, so synth needs no Docker, no network and no pip.
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
# The CDK CLI keeps the modes of files in the zip, and Lambda runs the function as a user who does not own them. The
# modes in a checkout and in a virtual environment depend on the umask.
_FOLDER_MODE, _FILE_MODE = 0o755, 0o644


@contextmanager
def smoke_test_code() -> Generator[tuple[Path, str], None, None]:
    """Copy the code to a temporary folder.

    Yields:
        The folder, which is deleted at the end, and a hash of the names, contents and modes of the files in the asset.
        The hash is the same for the same code on every machine: it does not depend on times, owners and modes of the
        installed files.
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
    """Path in the asset and installed file of each source file, sorted."""
    found = [(relative, source) for package in _PACKAGES for relative, source in _sources(package)]
    # redis-py reads its version from its metadata, and sends it to the server.
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
