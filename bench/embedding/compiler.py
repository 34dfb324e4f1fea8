"""The system's C compiler."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Final

COMPILERS: Final = ("cc", "gcc", "clang")
OPTIONS: Final = ("-std=c99", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror")


def find_compiler() -> list[str] | None:
    """The words of the C compiler's command: CC of the environment, or the first that is installed; None without any."""
    if chosen := os.environ.get("CC"):
        return shlex.split(chosen)
    return next(([path] for name in COMPILERS if (path := shutil.which(name))), None)


def compile_c(source: Path, target: Path, *options: str) -> Path:
    """Compile a file; warnings are errors. RuntimeError without a compiler or with what it said."""
    compiler = find_compiler()
    if compiler is None:
        raise RuntimeError("no C compiler found (Debian: apt-get install gcc libc6-dev), or name one in CC")
    command = [*compiler, *OPTIONS, *options, str(source), "-o", str(target)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the user's own compiler
    if built.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)}\n{built.stderr}")
    return target
