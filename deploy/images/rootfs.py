"""Collects what an image needs to run Python with some packages, one layer at a time.

rootfs.py python ROOTFS           the interpreter and its standard library without tests and
                                  tools, the CA certificates of the machine, and a user
rootfs.py packages ROOTFS BELOW   what is installed in /opt/maie, without tests and debugging
                                  information; libraries of the machine unless BELOW has them
rootfs.py libraries ROOTFS BELOW NAME
                                  the shared libraries of Debian's package NAME, with those that
                                  they need and BELOW does not have, and the licences of all
rootfs.py members ROOTFS MODULE   beside what is installed in ROOTFS/opt/maie, the command
                                  `run-part`, which runs the module

Each layer has bytecode, and every shared library that its binaries are linked to. Needs Python,
`ldd`, `ldconfig` and `strip`, and for `libraries` `dpkg-query`.
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

PACKAGES = Path("/opt/maie")
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
DPKG_QUERY = Path("/usr/bin/dpkg-query")
LDD, LDCONFIG, STRIP = Path("/usr/bin/ldd"), Path("/sbin/ldconfig"), Path("/usr/bin/strip")
ELF = b"\x7fELF"
DEBUGGING_INFORMATION = b".debug_info"
LINKED = re.compile(r"(?:=>\s+)?(/\S+)\s+\(0x")


def python(rootfs: Path) -> None:
    """Fills the folder `rootfs` with the interpreter and what is the same for all parts."""
    interpreter = Path(sys.executable).resolve()
    _copy(interpreter, rootfs)
    for name in ("python3", "python"):
        link = _within(rootfs, interpreter.parent) / name
        link.symlink_to(interpreter.name)
    for library in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}:
        target = _within(rootfs, library)
        left_out = shutil.ignore_patterns(*LEFT_OUT)
        shutil.copytree(library, target, ignore=left_out, dirs_exist_ok=True)
        _compile(target)
    _find(rootfs)
    # Binaries find their libraries where the machine has them.
    linked = _linked(Path("/", each.relative_to(rootfs)) for each in _binaries(rootfs))
    for library in (*sorted(linked), *_later()):
        _copy(library, rootfs)
    _configure(rootfs)


def packages(rootfs: Path, below: Path) -> None:
    """Moves the packages into the folder `rootfs`, with libraries that `below` does not have."""
    for folder in [each for each in PACKAGES.rglob("tests") if each.is_dir()]:
        shutil.rmtree(folder)
    shutil.rmtree(PACKAGES / "bin", ignore_errors=True)
    for binary in _binaries(PACKAGES):
        _strip(binary)
    _compile(PACKAGES)
    linked = [each for each in _linked(_binaries(PACKAGES)) if PACKAGES not in each.parents]
    for library in sorted(linked):
        if not _within(below, library).exists():
            _copy(library, rootfs)
    target = _within(rootfs, PACKAGES)
    target.parent.mkdir(parents=True)
    shutil.move(PACKAGES, target)
    _list_nvidia(target, rootfs, below)


def libraries(rootfs: Path, below: Path, name: str) -> None:
    """Fills the folder `rootfs` with the libraries of a package of Debian's."""
    found = [Path(line) for line in _query("--listfiles", name) if ".so." in Path(line).name]
    for library in found:
        # Programs see the name of the file itself, with its version.
        target = _within(rootfs, library)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(library, target, follow_symlinks=False)
    needed = {each.resolve() for each in found}
    owners = {name}
    for library in sorted(_linked(needed)):
        if library.resolve() not in needed and not _within(below, library).exists():
            _copy(library, rootfs)
            owner = _query("--search", f"*/{library.name}")[0]
            owners.add(owner.partition(":")[0])
    for owner in owners:
        _copy(Path("/usr/share/doc", owner, "copyright"), rootfs)


def members(rootfs: Path, module: str) -> None:
    """Completes the folder `rootfs`, which has the members already."""
    target = _within(rootfs, PACKAGES)
    shutil.rmtree(target / "bin", ignore_errors=True)
    _compile(target)
    _command(rootfs, module)


def _within(rootfs: Path, path: Path | str) -> Path:
    return rootfs / Path(path).relative_to("/")


def _copy(file: Path, rootfs: Path) -> None:
    """Copies a file to the same path, beneath its own name where it is a link."""
    target = _within(rootfs, file)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy2(file, target, follow_symlinks=True)


def _compile(folder: Path) -> None:
    """Writes bytecode that is valid whatever the files' times: the root may be read-only."""
    compileall.compile_dir(
        folder, quiet=2, workers=0, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )


def _find(rootfs: Path) -> None:
    """Has Python find the packages even where it is isolated from its environment (-I)."""
    folder = _within(rootfs, site.getsitepackages()[0])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "maie.pth").write_text(f"{PACKAGES}\n")


def _list_nvidia(packages: Path, rootfs: Path, below: Path) -> None:
    """Has the dynamic loader find the libraries of NVIDIA's wheels, by folder and by its cache.

    What puts the driver into a container runs ldconfig again, with these folders.
    """
    folders = sorted(packages.glob("nvidia/*/lib"))
    if not folders:
        return
    shutil.copytree(below / "etc/ld.so.conf.d", rootfs / "etc/ld.so.conf.d")
    _copy(Path("/etc/ld.so.conf"), rootfs)
    listed = "".join(f"/{folder.relative_to(rootfs)}\n" for folder in folders)
    (rootfs / "etc/ld.so.conf.d/maie.conf").write_text(listed)
    # Triton asks it for the driver, too.
    _copy(LDCONFIG, rootfs)
    subprocess.run([LDCONFIG, "-X", "-r", rootfs], check=True)  # noqa: S603 - our own folder


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


def _query(*asked: str) -> list[str]:
    command = [DPKG_QUERY, *asked]
    return subprocess.run(  # noqa: S603 - a package of the build itself
        command, capture_output=True, text=True, check=True
    ).stdout.splitlines()


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
    # NVIDIA's container toolkit puts libraries where these say that they belong.
    shutil.copy2("/etc/debian_version", etc)
    shutil.copy2("/etc/ld.so.conf", etc)
    shutil.copytree("/etc/ld.so.conf.d", etc / "ld.so.conf.d")
    certificates = _within(rootfs, CERTIFICATES)
    certificates.parent.mkdir(parents=True)
    shutil.copy2(CERTIFICATES, certificates)
    temporary = rootfs / "tmp"
    temporary.mkdir()
    temporary.chmod(0o1777)


def _command(rootfs: Path, module: str) -> None:
    command = rootfs / "usr/local/bin/run-part"
    command.parent.mkdir(parents=True, exist_ok=True)
    run = f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    command.write_text(f"#!{Path(sys.executable).resolve()}\nimport runpy\n{run}\n")
    command.chmod(0o755)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["python", rootfs]:
            python(Path(rootfs))
        case ["packages", rootfs, below]:
            packages(Path(rootfs), Path(below))
        case ["libraries", rootfs, below, name]:
            libraries(Path(rootfs), Path(below), name)
        case ["members", rootfs, module]:
            members(Path(rootfs), module)
        case _:
            sys.exit(__doc__)
