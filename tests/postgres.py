"""A PostgreSQL of the tests' own: a throwaway cluster in a temporary directory that only a socket of the file system leads to."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

BINARIES = ("initdb", "postgres")
USERS = ("postgres", "nobody")  # whom a server may run as when the tests are root, which it refuses
READY_S = 60
# Nothing of it is to survive the machine.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "16MB",
    "max_connections": "30",
}


def find_postgres() -> Path | None:
    """The directory of the server's programs (Debian keeps them outside the path), or None when they or the driver are not installed."""
    if importlib.util.find_spec("psycopg") is None:
        return None
    in_path = [Path(found).resolve().parent for name in BINARIES if (found := shutil.which(name))]
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in [*in_path, *debian] if all((folder / name).exists() for name in BINARIES)), None)


class Cluster:
    """Started when made. `stop` and `start` are what a restart of the server does to its clients."""

    def __init__(self) -> None:
        binaries = find_postgres()
        if binaries is None:
            raise FileNotFoundError("PostgreSQL is not installed (Debian: apt-get install postgresql)")
        self._binaries = binaries
        self._root = Path(tempfile.mkdtemp(prefix="parkex-pg-"))
        self._owner = next((user for user in USERS if _exists(user)), None) if os.getuid() == 0 else None
        if self._owner is not None:
            shutil.chown(self._root, self._owner)
        self._n_databases = 0
        self._server: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", "data", "-U", "parkex", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()

    def _options(self) -> dict[str, object]:
        # The server's group comes with its user, and nothing of root's groups.
        dropped = {} if self._owner is None else {"user": self._owner, "group": pwd.getpwnam(self._owner).pw_gid, "extra_groups": []}
        return {"cwd": self._root, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **dropped}

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([self._binaries / program, *arguments], check=False, **self._options())  # type: ignore[call-overload]
        assert done.returncode == 0, done.stdout.decode()

    def start(self) -> None:
        """Until it answers."""
        import psycopg  # here, so that the suite runs without it

        settings = [text for name, value in SETTINGS.items() for text in ("-c", f"{name}={value}")]
        command = [self._binaries / "postgres", "-D", "data", "-k", str(self._root), *settings]
        with (self._root / "log").open("ab") as log:
            self._server = subprocess.Popen(command, **{**self._options(), "stdout": log})  # type: ignore[call-overload]
        until_s = time.monotonic() + READY_S
        while True:
            try:
                psycopg.connect(self._address("postgres")).close()
            except psycopg.OperationalError:
                gone = self._server.poll() is not None
                assert not gone, (self._root / "log").read_text()
                assert time.monotonic() < until_s, (self._root / "log").read_text()
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """At once, as in a crash: connections are cut."""
        assert self._server is not None
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait()

    def remove(self) -> None:
        """Stop it and leave nothing."""
        self.stop()
        shutil.rmtree(self._root)

    def _address(self, database: str) -> str:
        return f"host={self._root} user=parkex dbname={database}"

    def new_database(self) -> str:
        """URL of an empty database."""
        import psycopg

        self._n_databases += 1
        name = f"model{self._n_databases}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
        return f"postgresql+psycopg://parkex@/{name}?host={self._root}"


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
