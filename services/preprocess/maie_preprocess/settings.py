"""Settings of the preprocess service; `MAIE_PREPROCESS_` in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from maie_core.limits import MAX_CHUNK_SECONDS, MIN_CHUNK_SECONDS
from maie_core.settings import ServiceSettings
from maie_preprocess.wire import ChannelMode
from maie_runtime.worker.engines import find_engine
from maie_speech.finder import (
    MAX_SPEECH_SECONDS,
    MIN_SILENCE_MS,
    MIN_SPEECH_MS,
    NARROW_BAND,
    SPEECH_PAD_MS,
    WIDE_BAND,
)

ENGINES = "maie.preprocess.engines"


class PreprocessSettings(ServiceSettings):
    """Limits on recordings, voice activity detection and chunking."""

    model_config = SettingsConfigDict(env_prefix="MAIE_PREPROCESS_")

    listen: str = "127.0.0.1:50052"
    """The address that gRPC listens on; port 0 takes a free one."""
    slots: int = Field(default=4, ge=1, le=64)
    """The number of recordings that the worker decodes concurrently."""
    long_slots: int | None = Field(default=None, ge=1)
    """The most slots for recordings longer than `long_seconds`, so that they never block short
    ones; unset: half of the slots."""
    long_seconds: float = Field(default=1800.0, gt=0)
    """The length above which a recording is long, by its file's header or else as decoded."""
    temp_dir: Path | None = None
    """The directory for recordings during decoding; unset: the system's."""

    min_duration_seconds: float = Field(default=1.0, ge=0)
    """A shorter recording is refused with AUDIO_TOO_SHORT."""
    max_duration_seconds: float = Field(default=16 * 3600.0, gt=0)
    """A longer recording is refused with AUDIO_TOO_LONG, however small its file is."""
    max_content_bytes: int = Field(default=16 * 1024 * 1024, gt=0)
    """The largest recording inside a request."""
    max_channels: int = Field(default=8, ge=1, le=64)
    """A recording with more channels is refused with AUDIO_CORRUPT."""
    max_sample_rate_hertz: int = Field(default=192_000, ge=16_000)
    """A recording with a higher sample rate is refused with AUDIO_CORRUPT."""
    max_damaged_share: float = Field(default=0.05, ge=0, le=1)
    """A recording with a larger share of packets that fail to decode is refused with
    AUDIO_CORRUPT."""

    channels: ChannelMode = "auto"
    """What to do with several channels unless a request says otherwise: `mix` mixes them, `split`
    transcribes each separately, `auto` splits them if they are the two sides of a call."""

    decoder_memory_mib: int = Field(default=1024, ge=256)
    """The limit on the decoding process's address space."""
    decoder_cpu_seconds: int = Field(default=1800, ge=1)
    """The limit on the decoding process's CPU time."""
    decoder_stall_seconds: float = Field(default=60.0, gt=0)
    """A decoding process is killed after this long without output."""

    vad: str = "silero"
    """The VAD engine, by its name among the entry points `maie.preprocess.engines`."""
    vad_model: Path | None = None
    """The model's file; unset: the one that ships with the service."""
    vad_model_sha256: str = "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2"
    """The expected SHA-256 of the model's file; empty accepts any file."""
    vad_threshold: float = Field(default=WIDE_BAND.begin, gt=0, lt=1)
    """Full-band audio: speech begins where its probability reaches this."""
    vad_negative_threshold: float = Field(default=WIDE_BAND.end, gt=0, lt=1)
    """Full-band audio: speech may end where its probability is below this."""
    vad_narrow_band_threshold: float = Field(default=NARROW_BAND.begin, gt=0, lt=1)
    """Telephone-band audio: speech begins where its probability reaches this. Silero gives speech
    low probabilities there, and noise lower ones (docs/accuracy.md)."""
    vad_narrow_band_negative_threshold: float = Field(default=NARROW_BAND.end, gt=0, lt=1)
    """Telephone-band audio: speech may end where its probability is below this."""
    vad_min_speech_ms: int = Field(default=MIN_SPEECH_MS, ge=0)
    """Shorter speech is noise."""
    vad_min_silence_ms: int = Field(default=MIN_SILENCE_MS, ge=100)
    """A shorter pause does not end an utterance."""
    vad_speech_pad_ms: int = Field(default=SPEECH_PAD_MS, ge=0)
    """Audio kept before and after each utterance; at most half of the shortest pause."""
    vad_max_speech_seconds: float = Field(default=MAX_SPEECH_SECONDS, ge=2, le=300)
    """A longer utterance is split where speech is least probable in its second half."""

    chunk_seconds: float | None = Field(default=None, ge=MIN_CHUNK_SECONDS, le=MAX_CHUNK_SECONDS)
    """The target length of chunks, unless a request names one. Unset: three chunks for each ASR
    slot that exists when the job is created, of 60 s to 300 s each; 60 s if the file does not state
    the recording's length; 300 s with one slot."""

    @model_validator(mode="after")
    def _leave_a_slot_for_short_recordings(self) -> Self:
        if (self.long_slots or 1) >= self.slots > 1:
            raise ValueError("long_slots must be less than slots")
        return self

    @model_validator(mode="after")
    def _thresholds_and_padding_fit(self) -> Self:
        if self.vad_negative_threshold > self.vad_threshold:
            raise ValueError("vad_negative_threshold must not be above vad_threshold")
        if self.vad_narrow_band_negative_threshold > self.vad_narrow_band_threshold:
            raise ValueError(
                "vad_narrow_band_negative_threshold must not be above vad_narrow_band_threshold"
            )
        if 2 * self.vad_speech_pad_ms > self.vad_min_silence_ms:
            # The padding of two utterances must never overlap.
            raise ValueError("vad_speech_pad_ms must be at most half of vad_min_silence_ms")
        return self

    def check(self) -> None:
        """Refuses an engine that is not installed."""
        find_engine(ENGINES, self.vad)
