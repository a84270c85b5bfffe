"""A wrong setting is named, and how to mend it."""

from __future__ import annotations

import pytest

from maie_core.settings import MeshSettings, ServiceSettings, Settings, load_settings

pytestmark = pytest.mark.unit

REMEDY = "Change it, or leave it unset; docs/settings.md lists all settings."


class OfLists(Settings):
    model_config = Settings.model_config | {"env_prefix": "MAIE_OF_LISTS_"}

    numbers: tuple[int, ...] = ()


class OfTwo(Settings):
    model_config = Settings.model_config | {"env_prefix": "MAIE_OF_TWO_"}

    first: int = 0
    second: float = 0.0


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (MeshSettings, "MAIE_LOG_LEVEL", "loud"),
        (MeshSettings, "MAIE_SHUTDOWN_GRACE_SECONDS", "abc"),
        (MeshSettings, "MAIE_SHUTDOWN_GRACE_SECONDS", "-1"),
        (ServiceSettings, "MAIE_SHUTDOWN_GRACE_SECONDS", "abc"),  # of a nested class
        (OfLists, "MAIE_OF_LISTS_NUMBERS", "[1"),
        (OfLists, "MAIE_OF_LISTS_NUMBERS", "1,2"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_variable(
    kind: type[Settings],
    name: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match="2"):
        load_settings(kind)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {name}")
    assert line.endswith(REMEDY)
    assert "http" not in line


def test_each_wrong_value_has_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAIE_OF_TWO_FIRST", "a")
    monkeypatch.setenv("MAIE_OF_TWO_SECOND", "b")
    with pytest.raises(SystemExit):
        load_settings(OfTwo)
    first, second = capsys.readouterr().err.splitlines()
    assert "MAIE_OF_TWO_FIRST: " in first
    assert "MAIE_OF_TWO_SECOND: " in second
