"""Write the Python modules of the .proto files in this folder: `make proto`.

A module is the file's descriptor, serialized, and a call that puts it into the pool of pool.py;
protoc's own Python output would register in the default pool. Type stubs and the gRPC stub are
protoc's. With --check nothing is written, and modules that differ from the .proto files are told.
"""

import argparse
import filecmp
import shutil
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc

FOLDER = Path(__file__).resolve().parent
PACKAGE = "calcgraph/proto"
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py")
LINE = 88


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="compare, write nothing")
    check = arguments.parse_args().check
    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary)
        generate(fresh)
        if not check:
            replace_generated(fresh)
            return 0
        differing = differences(fresh, FOLDER)
    if differing:
        print(*differing, "These differ from the .proto files: run make proto.", sep="\n")
    return 1 if differing else 0


def generate(target: Path) -> None:
    """Write every generated module into `target`.

    Raises:
        SystemExit: protoc refused a file; it has said why.
    """
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        run_protoc(root)
        descriptors = FileDescriptorSet.FromString((root / "descriptors").read_bytes())
        for file in descriptors.file:
            name = Path(file.name).stem
            (target / f"{name}_pb2.py").write_text(python_module(file))
            (target / f"{name}_pb2.pyi").write_bytes(
                (root / PACKAGE / f"{name}_pb2.pyi").read_bytes()
            )
            if file.service:
                (target / f"{name}_pb2_grpc.py").write_bytes(
                    (root / PACKAGE / f"{name}_pb2_grpc.py").read_bytes()
                )


def run_protoc(target: Path) -> None:
    well_known = files("grpc_tools") / "_proto"
    sources = sorted(FOLDER.glob("*.proto"))
    status = protoc.main(
        [
            "protoc",
            f"-I{PACKAGE}={FOLDER}",
            f"-I{well_known}",
            f"--descriptor_set_out={target / 'descriptors'}",
            f"--pyi_out={target}",
            f"--grpc_python_out={target}",
            *(f"{PACKAGE}/{source.name}" for source in sources),
        ]
    )
    if status:
        raise SystemExit(status)


def python_module(file: FileDescriptorProto) -> str:
    """The text of the module that defines `file` in our pool."""
    imported = [
        dependency.replace("/", ".").removesuffix(".proto") + "_pb2"
        for dependency in file.dependency
        if dependency.startswith(PACKAGE)
    ]
    return "\n".join(
        [
            f'"""Generated from {Path(file.name).name} by `make proto`: do not edit."""',
            "",
            *(f"import {module}" for module in imported),
            "from calcgraph.proto.pool import define",
            "",
            "define(",
            "    globals(),",
            *wrapped(file.SerializeToString(deterministic=True)),
            ")",
            "",
        ]
    )


def wrapped(data: bytes) -> list[str]:
    """Bytes literals that join to `data`, short enough for a diff to be read."""
    return [f"    {data[start : start + LINE]!r}" for start in range(0, len(data), LINE)]


def generated_in(folder: Path) -> set[str]:
    return {path.name for pattern in GENERATED for path in folder.glob(pattern)}


def replace_generated(fresh: Path) -> None:
    for name in generated_in(FOLDER):
        (FOLDER / name).unlink()
    for name in generated_in(fresh):
        shutil.copyfile(fresh / name, FOLDER / name)


def differences(one: Path, other: Path) -> list[str]:
    """Names of generated files that differ or that only one folder has."""
    names = generated_in(one) | generated_in(other)
    return sorted(
        name
        for name in names
        if not ((one / name).exists() and (other / name).exists())
        or not filecmp.cmp(one / name, other / name, shallow=False)
    )


if __name__ == "__main__":
    sys.exit(main())
