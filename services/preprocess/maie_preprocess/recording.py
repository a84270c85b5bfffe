"""Converts between the contract's messages about recordings and those of the decoder."""

from __future__ import annotations

from dataclasses import asdict

from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_core.options import check_recording
from maie_preprocess import wire
from maie_preprocess.lanes import Lanes
from maie_preprocess.settings import PreprocessSettings

_MODES: dict[int, wire.ChannelMode] = {
    pb.CHANNEL_MODE_MIX: "mix",
    pb.CHANNEL_MODE_SPLIT: "split",
    pb.CHANNEL_MODE_AUTO: "auto",
}


def choice_of(options: pb.RecordingOptions, settings: PreprocessSettings) -> wire.Choice:
    """The tracks and channels that a request selects.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_OUT_OF_RANGE.
    """
    check_recording(options, "recording_options")
    return wire.Choice(
        channels=_MODES.get(options.channels, settings.channels),
        track=options.track,
        all_tracks=options.all_tracks,
        loudness_range=True,
    )


def quality_of(lanes: Lanes, opened: wire.Opened, done: wire.Done) -> pb.AudioQuality:
    """The measured audio quality of the recording."""
    quality = pb.AudioQuality(
        vad_coverage=lanes.speech_samples / lanes.samples,
        loudness_lufs=done.loudness_lufs,
        loudness_range_lu=done.loudness_range_lu,
        peak_dbfs=done.peak_dbfs,
        clipping_ratio=done.clipping_ratio,
    )
    bandwidth = lanes.bandwidth.measure(opened.sample_rate) if lanes.chunks else None
    if bandwidth is not None:
        quality.bandwidth_hertz = bandwidth.hertz
        quality.narrow_band = bandwidth.is_narrow
    return quality


def source_format(opened: wire.Opened, done: wire.Done) -> pb.SourceFormat:
    """The format of the recording before it was normalised."""
    return pb.SourceFormat(
        container=opened.container,
        codec=opened.codec,
        sample_rate_hertz=opened.sample_rate,
        channel_count=opened.channels,
        normalized=done.normalized,
        channels=pb.CHANNEL_MODE_SPLIT if opened.split else pb.CHANNEL_MODE_MIX,
        tracks=[pb.AudioTrack(**asdict(track)) for track in opened.tracks],
    )
