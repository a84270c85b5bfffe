"""Shows the events of a live session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from rich.live import Live
from rich.text import Text

from maie.live.v1 import live_pb2 as live
from maie_cli.console import emit, note, out, warn
from maie_cli.live.screen import Screen
from maie_cli.live.utterances import Utterances
from maie_cli.live.voices import said_by
from maie_client import LiveSession
from maie_core.durations import seconds
from maie_core.speakers import speaker_label
from maie_formats.as_json import to_json
from maie_formats.clean import plain
from maie_formats.transcript import clock
from maie_formats.warnings import sentence

# The interval between redraws while nothing happens.
DRAW_SECONDS = 0.25


class Captions(Protocol):
    """Shows events, and notes about them."""

    def show(self, event: live.TranscribeResponse) -> None:
        """Shows an event."""
        ...

    def note(self, message: str) -> None:
        """Shows a note."""
        ...


class Notes:
    """Prints notes on stderr."""

    def note(self, message: str) -> None:
        """Prints a note."""
        note(message)


class JsonCaptions(Notes):
    """Prints each event as a line of JSON, without the secret of the session."""

    def show(self, event: live.TranscribeResponse) -> None:
        """Prints an event."""
        if event.HasField("started"):
            event.started.ClearField("resume_token")
        emit(to_json(event))


class LineCaptions(Notes):
    """Prints each final as a line, refined where it is to be, for pipes and files.

    Args:
        names: The name of each track; empty for one that needs none.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._utterances = Utterances()

    def show(self, event: live.TranscribeResponse) -> None:
        """Prints a final, a warning, or that two speakers are one."""
        if event.HasField("warning"):
            warn(sentence(event.warning.warning))
        elif event.HasField("speaker_update"):
            note(_update(event.speaker_update))
        for final in self._utterances.take(event):
            self._print(final)

    def finish(self) -> None:
        """Prints the finals that are not refined."""
        for final in self._utterances.rest():
            self._print(final)

    def _print(self, final: live.Final) -> None:
        if text := plain(final.segment.text):
            name = said_by(self._names, final)
            begins = clock(seconds(final.segment.start_offset))
            emit(f"[{begins}] {name}: {text}" if name else f"[{begins}] {text}")


class ScreenCaptions:
    """Shows what is said now on a terminal, below what was said.

    Args:
        screen: What is said now.
        display: The terminal.
    """

    def __init__(self, screen: Screen, display: Live) -> None:
        self._screen = screen
        self._display = display

    def show(self, event: live.TranscribeResponse) -> None:
        """Prints a final, and draws the rest."""
        if event.HasField("warning"):
            self._print(Text(f"warning: {sentence(event.warning.warning)}", style="yellow"))
        elif event.HasField("speaker_update"):
            self.note(_update(event.speaker_update))
        for said in self._screen.take(event):
            self._print(said)
        self._display.refresh()

    def finish(self) -> None:
        """Prints the finals that are not refined."""
        for said in self._screen.rest():
            self._print(said)

    def note(self, message: str) -> None:
        """Prints a note above what is said now."""
        self._print(Text(plain(message), style="dim"))

    def _print(self, text: Text) -> None:
        # Through any other console, it would be written into the lines that are drawn again.
        self._display.console.print(text)


def _update(update: live.SpeakerUpdate) -> str:
    return plain(f"{speaker_label(update.old)} turned out to be {speaker_label(update.new)}")


@asynccontextmanager
async def captions_of(
    session: LiveSession, names: Mapping[str, str], *, as_json: bool
) -> AsyncIterator[Captions]:
    """The captions for stdout."""
    if as_json:
        yield JsonCaptions()
    elif not out.is_terminal or out.is_dumb_terminal:
        lines = LineCaptions(names)
        try:
            yield lines
        finally:
            lines.finish()
    else:
        screen = Screen(names, session)
        with Live(screen, console=out, auto_refresh=False, transient=True) as display:
            drawing = asyncio.create_task(_draw(display))
            shown = ScreenCaptions(screen, display)
            try:
                yield shown
            finally:
                drawing.cancel()
                await asyncio.gather(drawing, return_exceptions=True)
                shown.finish()


async def _draw(display: Live) -> None:
    while True:
        display.refresh()
        await asyncio.sleep(DRAW_SECONDS)
