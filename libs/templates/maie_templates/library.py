"""All templates: the built-in ones and those of a user's folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_templates.template import TEMPLATE_ID, Template, rejected

SCHEMA_FILE = "schema.json"
PROMPT_FILE = "prompt.jinja"
EXAMPLES_FILE = "examples.json"
BUILTIN = Path(str(files("maie_templates") / "builtin"))

_State = tuple[tuple[int, int], ...]
# The state of a missing file.
ABSENT = (0, 0)


@dataclass(kw_only=True, frozen=True, slots=True)
class _Entry:
    """The content of a template's folder, and the state of its files at reading."""

    state: _State
    outcome: Template | StageError


class TemplateLibrary:
    """Finds templates by id.

    Each call checks the files' times and sizes and reads changed files, so a
    new template needs no restart. A template of the user's folder replaces a
    built-in one with the same id; their hashes differ.

    Args:
        directory: The user's folder, or None for only the built-in templates.

    Raises:
        StageError: FAILED_PRECONDITION with TEMPLATES_MISSING if the folder
            does not exist.
    """

    def __init__(self, directory: Path | None = None) -> None:
        if directory is not None and not directory.is_dir():
            raise StageError(
                Code.FAILED_PRECONDITION,
                Reason.TEMPLATES_MISSING,
                f"The templates folder {directory} does not exist; "
                "create it or change MAIE_TEMPLATES_DIRECTORY.",
            )
        self._roots = [BUILTIN] if directory is None else [BUILTIN, directory]
        self._entries: dict[Path, _Entry] = {}

    def get(self, template_id: str) -> Template:
        """The template with an id.

        Raises:
            StageError: NOT_FOUND with TEMPLATE_NOT_FOUND, naming existing
                ones; INVALID_ARGUMENT with TEMPLATE_REJECTED if its files are
                invalid.
        """
        outcome = self._find(template_id)
        if outcome is None:
            raise template_not_found(template_id, self.ids())
        if isinstance(outcome, StageError):
            raise StageError(outcome.code, outcome.reason, outcome.message)
        return outcome

    def has(self, template_id: str) -> bool:
        """Whether there is a template with an id, valid or not."""
        return self._find(template_id) is not None

    def ids(self) -> list[str]:
        """The ids of all templates, valid or not."""
        # A folder whose name is no id is reported by `problems`, and nobody can ask for it.
        return sorted(filter(TEMPLATE_ID.fullmatch, self._scan()))

    def templates(self) -> list[Template]:
        """All valid templates, by id."""
        found = sorted(self._scan().items())
        return [outcome for _, outcome in found if isinstance(outcome, Template)]

    def problems(self) -> dict[str, StageError]:
        """The errors of invalid templates, by id."""
        found = sorted(self._scan().items())
        return {name: outcome for name, outcome in found if isinstance(outcome, StageError)}

    def check(self) -> None:
        """Checks all templates, at the start of a service.

        Raises:
            StageError: INVALID_ARGUMENT with TEMPLATE_REJECTED for the first
                invalid one.
        """
        for problem in self.problems().values():
            raise problem

    def _find(self, template_id: str) -> Template | StageError | None:
        """Reads one template, without the others."""
        if not TEMPLATE_ID.fullmatch(template_id):
            return None
        for root in reversed(self._roots):
            folder = root / template_id
            if folder.is_dir():
                self._entries[folder] = self._read(folder)
                return self._entries[folder].outcome
        return None

    def _scan(self) -> dict[str, Template | StageError]:
        """All templates or their errors; reads those with changed files again."""
        entries = dict(self._read_roots())
        # The new entries replace the old ones, so deleted folders are dropped.
        self._entries = entries
        return {folder.name: entry.outcome for folder, entry in entries.items()}

    def _read_roots(self) -> Iterator[tuple[Path, _Entry]]:
        for root in self._roots:
            for folder in sorted(root.iterdir()):
                if folder.is_dir() and not folder.name.startswith((".", "_")):
                    yield folder, self._read(folder)

    def _read(self, folder: Path) -> _Entry:
        try:
            state = (
                _state(folder / SCHEMA_FILE),
                _state(folder / PROMPT_FILE),
                _state(folder / EXAMPLES_FILE, optional=True),
            )
            known = self._entries.get(folder)
            if known and known.state == state:
                return known
            return _Entry(state=state, outcome=_load(folder))
        except (OSError, UnicodeDecodeError) as error:
            files = f"{SCHEMA_FILE}, {PROMPT_FILE} or {EXAMPLES_FILE}"
            why = f"{files} cannot be read ({type(error).__name__})"
            return _Entry(state=(), outcome=rejected(folder.name, why))


def template_not_found(template_id: str, known: Iterable[str]) -> StageError:
    """The error for a template that does not exist, with the ids of those that do."""
    return StageError(
        Code.NOT_FOUND,
        Reason.TEMPLATE_NOT_FOUND,
        f"There is no template {template_id[:64]!r}; there are: {', '.join(known) or 'none'}.",
        field="template_id",
    )


def _state(path: Path, *, optional: bool = False) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        if optional:
            return ABSENT
        raise
    return status.st_mtime_ns, status.st_size


def _load(folder: Path) -> Template | StageError:
    examples = folder / EXAMPLES_FILE
    try:
        return Template.parse(
            folder.name,
            (folder / SCHEMA_FILE).read_text(encoding="utf-8"),
            (folder / PROMPT_FILE).read_text(encoding="utf-8"),
            examples.read_text(encoding="utf-8") if examples.exists() else "",
        )
    except StageError as error:
        return error


__all__ = ["TEMPLATE_ID", "TemplateLibrary", "template_not_found"]
