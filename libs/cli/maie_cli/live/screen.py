"""What is said now, as lines of a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from rich.console import Console, ConsoleOptions, RenderResult
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from maie.live.v1 import live_pb2 as live
from maie_cli.live.utterances import Utterances
from maie_cli.live.voices import Voice, said_by, voice
from maie_core.durations import seconds
from maie_formats.clean import plain
from maie_formats.transcript import clock

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")
"""One for each track; they begin again after the last."""
# The status, and the line of the cursor.
FRAME_LINES = 2
# The terminal writes "^C" at the cursor, after the status; it must not begin a new line there.
ECHO_COLUMNS = 3
# Less is no lag that a reader notices.
LEAST_LAG_SECONDS = 1.0


class Connected(Protocol):
    """Knows the state of its connection."""

    @property
    def trouble(self) -> str:
        """The current error of the connection; empty for none."""
        ...


class Screen:
    """The utterances that go on or wait for a refinement, and a line with the time and the latency.

    Args:
        names: The name of each track; empty for one that needs none.
        session: The session.
    """

    def __init__(self, names: Mapping[str, str], session: Connected) -> None:
        self._names = names
        self._session = session
        self._order: dict[Voice, int] = {(track, 0): at for at, track in enumerate(names)}
        self._utterances = Utterances()
        self._partials: dict[Voice, live.Partial] = {}
        self._behind: dict[Voice, float] = {}
        self._latency: float | None = None
        self._begun = time.monotonic()

    def take(self, event: live.TranscribeResponse) -> list[Text]:
        """Takes an event; returns what was said in the end, as far as it says so."""
        if event.HasField("partial"):
            self._partials[event.partial.track, event.partial.channel] = event.partial
        elif event.HasField("lag"):
            self._behind[event.lag.track, event.lag.channel] = seconds(event.lag.behind)
        elif event.HasField("final"):
            who = (event.final.track, event.final.segment.channel)
            self._partials.pop(who, None)
            self._behind.pop(who, None)
            self._latency = seconds(event.final.latency)
        elif event.HasField("started"):  # a call that resumes reads what is not final again
            self._partials.clear()
        return list(self._texts(self._utterances.take(event)))

    def rest(self) -> list[Text]:
        """The utterances that wait for a refinement, and wait no more."""
        return list(self._texts(self._utterances.rest()))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        speaking = sorted(self._partials, key=lambda who: (self._order.get(who, 0), who))
        texts = [
            *self._texts(self._utterances.held),
            *(self._partial(self._partials[who]) for who in speaking),
        ]
        lines = [line for text in texts for line in text.wrap(console, width)]
        room = max(1, (options.height or console.height) - FRAME_LINES)
        yield from lines[-room:]
        yield Constrain(self._status(), max(1, width - ECHO_COLUMNS))

    def _texts(self, finals: Iterable[live.Final]) -> Iterator[Text]:
        """The lines of the finals that have text."""
        for final in finals:
            if text := plain(final.segment.text):
                begins = clock(seconds(final.segment.start_offset))
                who = (final.track, final.segment.channel)
                yield Text.assemble(
                    (f"{begins} ", "dim"), *self._name(who, said_by(self._names, final)), text
                )

    def _partial(self, partial: live.Partial) -> Text:
        text = plain(f"{partial.stable_text} {partial.unstable_text}")
        stable = len(plain(partial.stable_text))
        begins = clock(seconds(partial.range.start_offset))
        return Text.assemble(
            (f"{begins} ", "dim"),
            *self._name((partial.track, partial.channel), self._place(partial)),
            (text[:stable], "dim"),
            (text[stable:], "dim italic"),
        )

    def _place(self, partial: live.Partial) -> str:
        return voice(self._names, partial.track, partial.channel)

    def _name(self, who: Voice, name: str) -> list[tuple[str, str]]:
        if not name:
            return []
        number = self._order.setdefault(who, len(self._order))
        return [(f"{name}: ", f"bold {COLOURS[number % len(COLOURS)]}")]

    def _status(self) -> Table:
        line = Table.grid(expand=True)
        line.add_column()
        line.add_column(justify="right", no_wrap=True)
        trouble = plain(self._session.trouble)
        elapsed = f"live {clock(time.monotonic() - self._begun)}"
        left = Text(f"{elapsed}  {trouble}", style="yellow") if trouble else Text(elapsed, "dim")
        line.add_row(left, self._corner())
        return line

    def _corner(self) -> Text:
        behind = max(self._behind.values(), default=0.0)
        if behind >= LEAST_LAG_SECONDS:
            return Text(f"{behind:.1f} s behind", style="yellow")
        return Text(f"{self._latency:.2f} s" if self._latency is not None else "", style="dim")
