"""Collects what an image needs to run Python with some packages: rootfs.py ROOTFS PACKAGES MODULE.

The interpreter and its standard library without tests and tools, the packages with their bytecode
and without tests and debugging information, every shared library that any of these is linked to,
the CA certificates of the machine, a user, and the command `run-part`, which runs the module.
Needs Python, `ldd` and `strip` alone.
"""

from __future__ import annotations

import compileall
import os
import py_compile
import re
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

USER = 10001
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# Nothing is linked to these: threads end with the first, and host names are looked up with others.
LOADED_LATER = ("libgcc_s.so.1", "libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2")
# Of the standard library: what tests it, what draws windows, and what installs packages.
LEFT_OUT = (
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "turtle.py",
    "lib2to3",
    "ensurepip",
    "venv",
    "pydoc_data",
    "site-packages",
    "dist-packages",
    "__pycache__",
    "config-*",
)
LDD, LDCONFIG, STRIP = "/usr/bin/ldd", "/sbin/ldconfig", "/usr/bin/strip"
ELF = b"\x7fELF"
DEBUGGING_INFORMATION = b".debug_info"
LINKED = re.compile(r"(?:=>\s+)?(/\S+)\s+\(0x")


def main(rootfs: Path, packages: Path, module: str) -> None:
    """Fills the folder `rootfs`."""
    interpreter = Path(sys.executable).resolve()
    _copy(interpreter, rootfs)
    for name in ("python3", "python"):
        link = rootfs / interpreter.parent.relative_to("/") / name
        link.symlink_to(interpreter.name)
    for library in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}:
        target = rootfs / Path(library).relative_to("/")
        left_out = shutil.ignore_patterns(*LEFT_OUT)
        shutil.copytree(library, target, ignore=left_out, dirs_exist_ok=True)
        _compile(target)
    target = rootfs / packages.relative_to("/")
    for binary in _binaries(packages):
        _strip(binary)
    left_out = shutil.ignore_patterns("__pycache__", "bin", "tests")
    shutil.copytree(packages, target, ignore=left_out, symlinks=True)
    _compile(target)
    _find(packages, rootfs)
    # Binaries find their libraries where the machine has them.
    linked = _linked(Path("/", each.relative_to(rootfs)) for each in _binaries(rootfs))
    for library in (*sorted(linked), *_later()):
        _copy(library, rootfs)
    _configure(rootfs)
    _command(rootfs, interpreter, module)


def _copy(file: Path, rootfs: Path) -> None:
    """Copies a file to the same path, beneath its own name where it is a link."""
    target = rootfs / file.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy2(file, target, follow_symlinks=True)


def _compile(folder: Path) -> None:
    """Writes bytecode that is valid whatever the files' times: the root may be read-only."""
    compileall.compile_dir(
        folder, quiet=2, workers=0, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )


def _find(packages: Path, rootfs: Path) -> None:
    """Has Python find the packages even where it is isolated from its environment (-I)."""
    folder = rootfs / Path(site.getsitepackages()[0]).relative_to("/")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "maie.pth").write_text(f"{packages}\n")


def _binaries(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        for name in names:
            file = Path(folder, name)
            if not file.is_symlink() and _is_elf(file):
                yield file


def _is_elf(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(ELF)) == ELF


def _strip(binary: Path) -> None:
    """Removes debugging information, unless the file could not be loaded then.

    Wheels have binaries whose segments were moved by patchelf, and strip breaks some of these.
    """
    if DEBUGGING_INFORMATION not in binary.read_bytes():
        return
    stripped = binary.with_name(f"{binary.name}.stripped")
    subprocess.run(  # noqa: S603 - a file of the build itself
        [STRIP, "--strip-debug", "-o", stripped, binary], check=True
    )
    loads = subprocess.run([LDD, stripped], capture_output=True, check=False)  # noqa: S603 - the same
    if loads.returncode == 0:
        stripped.replace(binary)
    else:
        stripped.unlink()


def _linked(binaries: Iterable[Path]) -> set[Path]:
    """The libraries of the machine that binaries are linked to, however far."""
    found: set[Path] = set()
    for binary in binaries:
        listed = subprocess.run(  # noqa: S603 - a file of the build itself
            [LDD, binary], capture_output=True, text=True, check=False
        ).stdout
        found |= {Path(each) for each in LINKED.findall(listed)}
    return found


def _later() -> Iterator[Path]:
    listed = subprocess.run(  # noqa: S603 - the machine's own list
        [LDCONFIG, "-p"], capture_output=True, text=True, check=True
    ).stdout
    for line in listed.splitlines():
        name, _, path = line.strip().partition(" ")
        if name in LOADED_LATER:
            yield Path(path.rpartition("=> ")[2])


def _configure(rootfs: Path) -> None:
    etc = rootfs / "etc"
    etc.mkdir(exist_ok=True)
    (etc / "passwd").write_text(
        f"root:x:0:0:root:/:/sbin/nologin\nmaie:x:{USER}:{USER}:maie:/tmp:/sbin/nologin\n"
    )
    (etc / "group").write_text(f"root:x:0:\nmaie:x:{USER}:\n")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    certificates = rootfs / CERTIFICATES.relative_to("/")
    certificates.parent.mkdir(parents=True)
    shutil.copy2(CERTIFICATES, certificates)
    temporary = rootfs / "tmp"
    temporary.mkdir()
    temporary.chmod(0o1777)


def _command(rootfs: Path, interpreter: Path, module: str) -> None:
    command = rootfs / "usr/local/bin/run-part"
    command.parent.mkdir(parents=True, exist_ok=True)
    run = f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    command.write_text(f"#!{interpreter}\nimport runpy\n{run}\n")
    command.chmod(0o755)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
