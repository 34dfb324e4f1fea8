"""parkex_core.h against the dtypes and enums, as the system's compiler lays it out."""

import ctypes
import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bench.embedding.compiler import compile_c
from matching import records
from matching.embedding import ABI_VERSION, API, PROGRESS, SIZES, Status, include_directory
from matching.records import ENTRY, EVENT, LEVEL_VIEW
from tests.matching.c_host import PROTOTYPES

STRUCTS = {
    "parkex_entry": ENTRY, "parkex_event": EVENT, "parkex_level": LEVEL_VIEW, "parkex_progress": PROGRESS, "parkex_sizes": SIZES, "parkex_api": API,
}  # fmt: skip
ENUMS = (
    records.Side, records.TimeInForce, records.SelfTrade, records.EntryFlag, records.BookPhase, records.EntryKind, records.MassCancel,
    records.UncrossFlag, records.EventKind, records.Reason, Status,
)  # fmt: skip
TEXT = (include_directory() / "parkex_core.h").read_text("utf-8")
KIND = '_Generic((x), int64_t: "i8", uint64_t: "u8", int32_t: "i4", uint32_t: "u4", uint16_t: "u2", uint8_t: "u1", default: "u8")'
CTYPES = {ctypes.c_int64: "int64_t", ctypes.c_int32: "int32_t", ctypes.c_void_p: "*"}

pytestmark = pytest.mark.compiler


def prefix(enum: type) -> str:
    return "PARKEX_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", enum.__name__).upper() + "_"


def constants() -> dict[str, int]:
    """Every constant that the header must have."""
    values = {prefix(enum) + member.name: int(member) for enum in ENUMS for member in enum}
    return values | {"PARKEX_ABI_VERSION": ABI_VERSION}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list]:
    """What a program that includes the header says of every name that the dtypes and enums have."""
    lines = [f'printf("%s\\"{name}\\": [%lld]", comma, (long long){name}); comma = ", ";' for name in constants()]
    for struct, dtype in STRUCTS.items():
        lines.append(f'printf(", \\"{struct}\\": [%zu]", sizeof({struct}));')
        lines += [
            f'printf(", \\"{struct}.{field}\\": [%zu, \\"%s\\"]", offsetof({struct}, {field}), KIND((({struct} *)0)->{field}));'
            for field in dtype.names
        ]
    program = ["#include <stddef.h>", "#include <stdio.h>", '#include "parkex_core.h"', f"#define KIND(x) {KIND}", "int main(void) {"]
    program += ['const char *comma = "";', "putchar('{');", *lines, "putchar('}');", "return 0;", "}"]
    directory = tmp_path_factory.mktemp("header")
    (directory / "probe.c").write_text("\n".join(program))
    probe = compile_c(directory / "probe.c", directory / "probe", f"-I{include_directory()}", "-std=c11")
    return json.loads(subprocess.run([probe], capture_output=True, check=True, text=True).stdout)


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_constants_are_the_members(compiled, enum):
    names = re.findall(rf"\b{prefix(enum)}(\w+) = ", TEXT)
    assert names == [member.name for member in enum]
    assert [compiled[prefix(enum) + name] for name in names] == [[int(member)] for member in enum]


def test_no_constant_belongs_to_nothing():
    assert set(re.findall(r"\b(PARKEX_\w+) = ", TEXT)) == constants().keys() - {"PARKEX_ABI_VERSION"}


def test_version(compiled):
    assert compiled["PARKEX_ABI_VERSION"] == [ABI_VERSION]


def offset_and_type(dtype: np.dtype, field: str) -> list:
    kind, offset = dtype.fields[field][:2]
    return [offset, kind.str[1:] if kind.itemsize > 1 else "u1"]


@pytest.mark.parametrize("struct", STRUCTS)
def test_structs_are_the_dtypes(compiled, struct):
    dtype = STRUCTS[struct]
    assert compiled[struct] == [dtype.itemsize]
    assert {field: compiled[f"{struct}.{field}"] for field in dtype.names} == {field: offset_and_type(dtype, field) for field in dtype.names}


@pytest.mark.parametrize("struct", [name for name in STRUCTS if name != "parkex_api"])
def test_structs_have_no_other_fields(struct):
    (body,) = re.findall(rf"typedef struct {struct} {{(.*?)}} {struct};", TEXT, re.DOTALL)
    assert re.findall(r"(\w+);", body) == list(STRUCTS[struct].names)


def test_functions_have_the_prototypes_that_the_tests_call():
    declared = re.findall(r"^ {4}([\w ]+?\*?) ?\(\*(\w+)\)\((.*?)\);", TEXT, re.MULTILINE | re.DOTALL)
    found = {name: [c_type(returns), *map(c_type, parameters.split(","))] for returns, name, parameters in declared}
    assert found == {name: [CTYPES[kind] for kind in prototype] for name, prototype in PROTOTYPES.items()}


def c_type(declaration: str) -> str:
    """A pointer, or the integer's name."""
    return "*" if "*" in declaration else declaration.split(maxsplit=1)[0]


def test_compiler_that_fails_says_why(tmp_path: Path):
    (tmp_path / "bad.c").write_text("int main(void) { return nothing; }")
    with pytest.raises(RuntimeError, match="nothing"):
        compile_c(tmp_path / "bad.c", tmp_path / "bad")


def test_no_compiler_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="no C compiler found"):
        compile_c(tmp_path / "any.c", tmp_path / "any")
