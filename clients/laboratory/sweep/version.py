"""Which code a result comes from: the version of parkex and a digest of its sources, so that results of changed code are never taken for its own."""

import functools
import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[3]
_PACKAGES: Final = ("matching", "exchange", "clients")
_DIGEST_CHARACTERS: Final = 12


@functools.cache
def code_version() -> str:
    """As 0.1.0+3f9c0a7d21b4."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).rglob("*.py")):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(_ROOT).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return f"{version('parkex')}+{digest.hexdigest()[:_DIGEST_CHARACTERS]}"
