"""The settings of live speech; `MAIE_GATEWAY_LIVE_` in the environment."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from maie_core.limits import MAX_CHUNK_SECONDS, MIN_CHUNK_SECONDS
from maie_core.settings import Settings

# The longest utterance, and what comes while its final is made and stored.
LEAST_HELD_SECONDS = 35.0
# As the chunks of a recording where the mesh has one ASR slot.
CHUNK_SECONDS = 300.0


class LiveSettings(Settings):
    """Live sessions at a gateway."""

    model_config = SettingsConfigDict(env_prefix="MAIE_GATEWAY_LIVE_")

    max_sessions: int = Field(default=200, ge=1)
    """The most live sessions of one gateway; further ones are refused."""
    max_sessions_per_tenant: int | None = Field(default=None, ge=1)
    """The most live sessions of one tenant at one gateway; where unset, four fifths of
    MAIE_GATEWAY_LIVE_MAX_SESSIONS."""
    max_tracks: int = Field(default=16, ge=1)
    """The most tracks of a session at a time; each channel that is split counts as one."""
    idle_seconds: float = Field(default=60.0, gt=0)
    """End a live call that receives nothing for this long; the session can be resumed."""
    quiet_seconds: float = Field(default=1800.0, gt=0)
    """End a live call that receives no audio and no silence for this long, also where it receives
    keep_alive; the session can be resumed."""
    resume_seconds: float = Field(default=300.0, ge=1)
    """End a session that no call has had for this long."""
    linger_seconds: float = Field(default=5.0, ge=0)
    """How long an utterance goes on after its call broke, in case the client comes back, before it
    is ended."""
    max_held_seconds: float = Field(default=45.0, ge=LEAST_HELD_SECONDS)
    """The most audio of a track that is kept in memory until it has its finals, 32 kB a second and
    once more as it was sent; beyond it the gateway reads nothing from the client. More than the
    longest utterance."""
    settle_seconds: float = Field(default=10.0, gt=0)
    """How much silence of a track is acknowledged at once."""
    heartbeat_seconds: float = Field(default=2.0, ge=0.1)
    """The longest time without an event to a client; a client that gets none for two and a half
    times as long goes to another gateway."""
    freeze_seconds: float = Field(default=5.0, ge=3)
    """Take another ASR replica where one says nothing for this long. A replica that works says
    every two seconds how far it is."""
    patience_seconds: float = Field(default=20.0, ge=0)
    """How long to look for an ASR replica for a track that lost its own, before the call fails."""
    lag_seconds: float = Field(default=2.0, gt=0)
    """Notify the client where recognition of a track is further behind than this."""
    store_seconds: float = Field(default=20.0, gt=0)
    """How long to try to store audio that is kept while the object store does not answer, before
    the call fails."""
    refinement_wait_seconds: float = Field(default=10.0, ge=0)
    """How long a final waits for the next one of its track before it is refined without: a sentence
    that goes on after a pause has no full stop there."""
    refinement_seconds: float = Field(default=20.0, gt=0)
    """Ask another enhancement replica where one takes longer for a few finals."""
    refinement_end_seconds: float = Field(default=3.0, ge=0)
    """The longest that the end of a session waits for refinements."""
    speakers_end_seconds: float = Field(default=5.0, ge=0)
    """The longest that the end of a track which several people share waits for who said its last
    finals while diarization makes no progress."""
    decoder_processes: int = Field(default=2, ge=1)
    """The most processes that decode Opus and FLAC for all tracks. They start when they are needed;
    each takes 20 MB and decodes about 200 tracks in real time."""
    decoder_memory_mib: int = Field(default=512, ge=256)
    """The limit on the address space of such a process."""
    decoder_stall_seconds: float = Field(default=15.0, gt=0)
    """A decoding process is replaced after this long with one message."""
    chunk_seconds: float = Field(default=CHUNK_SECONDS, ge=MIN_CHUNK_SECONDS, le=MAX_CHUNK_SECONDS)
    """The length of the chunks in which the text of a session is enhanced and summarised, unless
    its client names one. Each is a prompt of a language model or more, and fails by itself."""
    sweep_seconds: float = Field(default=15.0, gt=0)
    """Interval between scans for sessions that nobody resumed."""

    @property
    def sessions_per_tenant(self) -> int:
        """The most live sessions of one tenant at one gateway."""
        return self.max_sessions_per_tenant or max(1, self.max_sessions * 4 // 5)
