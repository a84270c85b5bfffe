"""What was said in the end: finals, with the text and the speakers that follow some of them."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto

from maie.live.v1 import live_pb2 as live
from maie_core.reasons import WarningReason
from maie_core.speaking import split


class _Missing(Enum):
    """What follows a final."""

    TEXT = auto()
    SPEAKERS = auto()


class Utterances:
    """Finals in their order, each held until its refinement and its speakers, where it gets any.

    None is held for what the gateway says comes late.
    """

    def __init__(self) -> None:
        self._config = live.SessionConfig()
        self._held: dict[str, live.Final] = {}
        self._missing: dict[str, set[_Missing]] = {}

    @property
    def held(self) -> Iterator[live.Final]:
        """The finals that wait for what follows them, the oldest first."""
        yield from self._held.values()

    def take(self, event: live.TranscribeResponse) -> list[live.Final]:
        """Takes an event; gives the finals that change no more, with the text to show.

        One that several people say becomes several.
        """
        match event.WhichOneof("event"):
            case "started":
                self._config = event.started.config
            case "final":
                name = event.final.segment.segment_id
                if not self._config.several_speakers:
                    # Its track says who speaks.
                    event.final.segment.ClearField("speaker")
                self._held[name] = event.final
                self._missing[name] = set(self._follows(event.final))
            case "refinement" if event.refinement.utterance_id in self._held:
                name = event.refinement.utterance_id
                self._held[name].segment.text = event.refinement.clean_text
                self._missing[name].discard(_Missing.TEXT)
            case "speaker_labels" if event.speaker_labels.utterance_id in self._held:
                name = event.speaker_labels.utterance_id
                _label(self._held[name], event.speaker_labels)
                self._missing[name].discard(_Missing.SPEAKERS)
            case "speaker_update":
                self._rename(event.speaker_update)
            case "warning" if event.warning.warning.reason == WarningReason.REFINEMENTS_LATE:
                self._config.refinements = False
                self._give_up(_Missing.TEXT)
            case "warning" if event.warning.warning.reason == WarningReason.SPEAKERS_MISSING:
                self._give_up(_Missing.SPEAKERS)
            case "ended":
                return self.rest()
        return list(self._settled())

    def rest(self) -> list[live.Final]:
        """The finals that are held, which are held no more."""
        rest = [part for final in self._held.values() for part in _parts(final)]
        self._held.clear()
        self._missing.clear()
        return rest

    def _follows(self, final: live.Final) -> Iterator[_Missing]:
        if not final.segment.text:
            return
        if self._config.refinements and not final.punctuated:
            yield _Missing.TEXT
        if self._config.several_speakers and not final.segment.HasField("speaker"):
            yield _Missing.SPEAKERS

    def _give_up(self, missing: _Missing) -> None:
        for each in self._missing.values():
            each.discard(missing)

    def _rename(self, update: live.SpeakerUpdate) -> None:
        for final in self._held.values():
            segment = final.segment
            if segment.speaker == update.old:
                segment.speaker = update.new
            for word in segment.words:
                if word.speaker == update.old:
                    word.speaker = update.new

    def _settled(self) -> Iterator[live.Final]:
        """The first finals up to one that waits."""
        while (name := next(iter(self._held), None)) is not None and not self._missing[name]:
            del self._missing[name]
            yield from _parts(self._held.pop(name))


def _label(final: live.Final, labels: live.SpeakerLabels) -> None:
    final.segment.speaker = labels.speaker
    for word, label in zip(final.segment.words, labels.words, strict=False):
        word.speaker = label.speaker


def _parts(final: live.Final) -> Iterator[live.Final]:
    """A final for each run of words of one speaker."""
    if not final.segment.HasField("speaker") or not final.segment.words:
        yield final
        return
    for segment in split(final.segment):
        yield live.Final(track=final.track, segment=segment, punctuated=final.punctuated)
