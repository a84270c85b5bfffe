"""What was said in the end: finals, or their refinements where those follow."""

from __future__ import annotations

from collections.abc import Iterator

from maie.live.v1 import live_pb2 as live
from maie_core.reasons import WarningReason


class Utterances:
    """Finals in their order, each held until its refinement where the session has any.

    Nothing is held any more once the gateway says that refinements come late.
    """

    def __init__(self) -> None:
        self._refines = False
        self._held: dict[str, live.Final] = {}
        self._refined: set[str] = set()

    @property
    def held(self) -> Iterator[live.Final]:
        """The finals that wait for a refinement, the oldest first."""
        yield from self._held.values()

    def take(self, event: live.TranscribeResponse) -> list[live.Final]:
        """Takes an event; gives the finals that change no more, with the text to show."""
        match event.WhichOneof("event"):
            case "started":
                self._refines = event.started.config.refinements
            case "final":
                self._held[event.final.segment.segment_id] = event.final
                if not self._refines or event.final.punctuated or not event.final.segment.text:
                    self._refined.add(event.final.segment.segment_id)
            case "refinement" if event.refinement.utterance_id in self._held:
                final = self._held[event.refinement.utterance_id]
                final.segment.text = event.refinement.clean_text
                self._refined.add(event.refinement.utterance_id)
            case "warning" if event.warning.warning.reason == WarningReason.REFINEMENTS_LATE:
                self._refines = False
                return self.rest()
            case "ended":
                return self.rest()
        return list(self._settled())

    def rest(self) -> list[live.Final]:
        """The finals that are held, which are held no more."""
        rest = list(self._held.values())
        self._held.clear()
        self._refined.clear()
        return rest

    def _settled(self) -> Iterator[live.Final]:
        """The first finals up to one that is not refined."""
        while (name := next(iter(self._held), None)) is not None and name in self._refined:
            self._refined.discard(name)
            yield self._held.pop(name)
