"""The options of a track: the session's, and what the client changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from maie.asr.v1 import streaming_pb2 as asr
from maie.live.v1 import live_pb2 as live
from maie_core.live_options import overlay


@dataclass(kw_only=True, frozen=True, slots=True)
class ChangedOptions:
    """What a client changed.

    Attributes:
        of_all: For all tracks, those to come too.
        of_track: For single tracks, by name.
    """

    of_all: asr.StreamingOptions = field(default_factory=asr.StreamingOptions)
    of_track: Mapping[str, asr.StreamingOptions] = field(default_factory=dict)

    def with_change(self, change: live.ConfigureSession) -> ChangedOptions:
        """The options after one more change, which is stronger than those before."""
        if change.HasField("track"):
            before = self.of_track.get(change.track, asr.StreamingOptions())
            changed = {change.track: merged(before, change.options)}
            return ChangedOptions(of_all=self.of_all, of_track={**self.of_track, **changed})
        return ChangedOptions(
            of_all=merged(self.of_all, change.options),
            of_track={
                name: merged(before, change.options) for name, before in self.of_track.items()
            },
        )

    def without_track(self, name: str) -> ChangedOptions:
        """The options after a track has ended."""
        rest = {other: each for other, each in self.of_track.items() if other != name}
        return ChangedOptions(of_all=self.of_all, of_track=rest)

    def of(self, config: live.SessionConfig, join: live.TrackJoin) -> asr.StreamingOptions:
        """The options of a track."""
        own = asr.StreamingOptions(transcribe=config.job.asr_options)
        for name in ("partials", "turns"):
            if config.HasField(name):
                getattr(own, name).CopyFrom(getattr(config, name))
        if join.language_code:
            own.transcribe.language_code = join.language_code
        changed = merged(own, self.of_all)
        return merged(changed, self.of_track.get(join.track, asr.StreamingOptions()))


def merged(before: asr.StreamingOptions, change: asr.StreamingOptions) -> asr.StreamingOptions:
    """Options with a change; what is unset in the change stays."""
    after = asr.StreamingOptions()
    after.CopyFrom(before)
    overlay(after, change)
    return after
