"""Settings of the ASR service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from maie_runtime.engines import find_engine
from maie_runtime.settings import GpuServiceSettings, Settings

SuspectTextPolicy = Literal["off", "report", "remove"]
Sha256 = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]

ENGINES = "maie.asr.engines"


class SuspectTextSettings(Settings):
    """Text that was probably never spoken; `MAIE_ASR_SUSPECT_TEXT_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ASR_SUSPECT_TEXT_")

    policy: SuspectTextPolicy = "remove"
    """What becomes of it where a request does not say: it is not looked for, reported in the
    result, or reported and left out of the transcript."""
    max_repeats: int = Field(default=8, ge=2)
    """A phrase of up to 30 words that is said more often in a row, and makes up half of its
    segment, is a loop; so are more segments in a row with the same words."""
    min_speech_share: float = Field(default=0.1, ge=0, le=1)
    """A segment of which a smaller share lies where somebody speaks is noise or silence."""
    keep_confidence: float = Field(default=0.5, ge=0, le=1)
    """Such a segment is kept all the same where the engine is at least so sure of its words and the
    VAD is not sure that nobody speaks."""


class RereadSettings(Settings):
    """Speech without text; `MAIE_ASR_REREAD_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ASR_REREAD_")

    seconds: float = Field(default=1.0, ge=0, le=30)
    """Where somebody speaks for so long and there is no text, the stretch is read again by itself,
    and reported as unread where it still has none. 0 looks for none."""
    min_confidence: float = Field(default=0.4, ge=0, le=1)
    """What a second reading finds with less confidence is not taken."""


class PocketsphinxSettings(Settings):
    """The engine `pocketsphinx`; `MAIE_ASR_POCKETSPHINX_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ASR_POCKETSPHINX_")

    model_path: Path | None = None
    """A directory laid out as `en-us` in pocketsphinx's package; that one where unset."""
    sha256: Sha256 = ""
    """What the model's files must hash to. Empty where the manifest beside them says so, or
    the model is the packaged one."""
    margin_seconds: float = Field(default=0.1, ge=0, le=2)
    """Audio that is decoded before and after each speech range, beyond the range's own padding
    and at most half of a pause. It takes in the short silences at the ends of a clip, which then
    reads as the library reads it whole; more of it reads worse."""


class WhisperSettings(Settings):
    """The engine `whisper`; `MAIE_ASR_WHISPER_` in the environment."""

    # pydantic reserves the prefix model_ unless told otherwise.
    model_config = SettingsConfigDict(env_prefix="MAIE_ASR_WHISPER_", protected_namespaces=())

    model_path: Path | None = None
    """The directory of a CTranslate2 Whisper model; `whisper-base` in `MAIE_MODELS_DIR` where
    unset. It is never downloaded."""
    variant: str = ""
    """The model's name, such as `large-v3`; taken from the directory's name where empty."""
    sha256: Sha256 = ""
    """What the model's files must hash to. Empty where the manifest beside them says so."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the model runs."""
    device_index: tuple[int, ...] = Field(default=(0,), min_length=1)
    """The GPUs that hold the model, as a JSON list; requests spread over them."""
    compute_type: Literal["auto", "float32", "float16", "bfloat16", "int8_float16", "int8"] = "auto"
    """The model's arithmetic; `auto` is float16 on a GPU and int8 on a CPU."""
    cpu_threads: int = Field(default=0, ge=0)
    """Threads of one recognition on a CPU; 0 leaves it to OMP_NUM_THREADS, or else divides the
    cores that the process may use among its slots, up to 4 for each."""
    batch_size: int = Field(default=1, ge=1, le=256)
    """Windows of one chunk that are decoded together. 1 decodes them in turn, each with the
    text before it as context."""
    cross_batch_size: int | None = Field(default=None, ge=1, le=256)
    """Windows of different requests that are decoded together at most; 1 decodes each request by
    itself. 16 on a GPU and 1 on a CPU, which gains nothing, where unset. Windows that know the
    text before them wait for others only in the encoder."""
    cross_batch_wait_ms: float = Field(default=20.0, ge=0, le=1000)
    """How long a window waits for those of other requests that are being prepared. A request that
    is alone never waits."""
    reproducible: bool = False
    """Whether the same chunk must give the same words, times and confidences bit by bit on the same
    machine, whatever else it reads at the time: each request is decoded by itself, and temperatures
    above 0 are refused. The versions of a result say whether it was made so."""

    beam_size: int = Field(default=5, ge=1)
    """How many readings the search keeps."""
    temperature: tuple[float, ...] = Field(default=(0.0,), min_length=1)
    """Temperatures to try until a reading passes the thresholds, as a JSON list. Above 0 the
    decoder draws lots, so the same audio may then give different texts."""
    compression_ratio_threshold: float | None = 2.4
    """A text that compresses better counts as a loop and is read at the next temperature."""
    log_prob_threshold: float | None = -1.0
    """A text with a lower mean log probability is read at the next temperature."""
    no_speech_threshold: float | None = 0.6
    """A window that is silence with a higher probability, and fails `log_prob_threshold`, has
    no text."""
    condition_on_previous_text: bool = False
    """Whether a window knows the text before it. It helps with spelling, and loses stretches of
    speech (docs/accuracy.md). Always off for distil models."""
    initial_prompt: str | None = None
    """Text that the recording is taken to follow on, for style and spelling."""
    hallucination_silence_threshold: float | None = Field(default=None, gt=0)
    """Seconds of silence within which a suspicious text is dropped. Needs word times."""

    vad_filter: bool = True
    """Whether long pauses within a chunk are cut out before the model hears it."""
    vad_threshold: float | None = Field(default=None, gt=0, lt=1)
    """Where set, faster-whisper's own VAD finds speech in the chunk anew, where its probability is
    above this. Where unset, the pauses are those between the chunk's speech, as preprocess found
    it; so it is best for telephones."""
    vad_min_silence_ms: int = Field(default=2000, ge=0)
    """A shorter pause is not cut out. Where pauses of half a second are, words are lost at cuts."""
    vad_speech_pad_ms: int = Field(default=400, ge=0)
    """Kept before and after each stretch of speech."""

    @model_validator(mode="after")
    def _reproducible_decodes_alone_and_greedily(self) -> Self:
        if self.reproducible and (self.cross_batch_size or 1) > 1:
            raise ValueError("cross_batch_size must be 1 where reproducible is set")
        if self.reproducible and any(self.temperature):
            raise ValueError("temperature must be 0 where reproducible is set")
        return self

    @model_validator(mode="after")
    def _batches_need_the_vad(self) -> Self:
        if self.batch_size > 1 and not self.vad_filter:
            raise ValueError("batch_size above 1 needs vad_filter: speech cuts the windows")
        return self


class ChunkformerSettings(Settings):
    """The engine `chunkformer`; `MAIE_ASR_CHUNKFORMER_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ASR_CHUNKFORMER_", protected_namespaces=())

    model_path: Path | None = None
    """The directory of a ChunkFormer model in safetensors format. It is never downloaded."""
    variant: str = ""
    """The model's name; taken from the directory's name where empty."""
    sha256: Sha256 = ""
    """What the model's files must hash to. Empty where the manifest beside them says so."""
    language_code: str = Field(default="vi", pattern=r"^[a-z]{2,3}$")
    """The one language that the model reads."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the model runs."""
    device_index: int = Field(default=0, ge=0)
    """The GPU that holds the model."""
    compute_type: Literal["float32", "float16", "bfloat16"] = "float32"
    """The arithmetic of layers that bear less than float32."""
    cpu_threads: int = Field(default=0, ge=0)
    """Threads on a CPU; 0 leaves it to OMP_NUM_THREADS, or else takes all cores that the process
    may use."""
    chunk_size: int = Field(default=64, ge=1)
    """Frames of 80 ms that the model reads at a time."""
    left_context_size: int = Field(default=128, ge=0)
    """Frames of 80 ms before them that it looks back at."""
    right_context_size: int = Field(default=128, ge=0)
    """Frames of 80 ms after them that it looks ahead at."""
    total_batch_seconds: int = Field(default=14400, ge=10)
    """Seconds of audio that are in memory at once; less of it wants less GPU memory."""
    max_silence_seconds: float = Field(default=0.5, gt=0)
    """A longer silence ends a segment."""


class AsrSettings(GpuServiceSettings):
    """What the ASR service can be told; `MAIE_ASR_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ASR_")

    listen: str = "127.0.0.1:50053"
    """The address that gRPC listens on; port 0 takes a free one."""
    engine: str = "whisper"
    """The engine, by its name among the entry points `maie.asr.engines`."""
    language_code: str = ""
    """The spoken language where a request names none; detected where both are empty."""
    hotwords: tuple[str, ...] = ()
    """Likely words and names where a request names none, as a JSON list."""
    word_time_offsets: bool = True
    """Whether words carry times where a request does not say."""
    translate: bool = False
    """Whether to write the English translation where a request does not say."""
    suspect_text: SuspectTextSettings = Field(default_factory=SuspectTextSettings)
    """Text that was probably never spoken."""
    reread: RereadSettings = Field(default_factory=RereadSettings)
    """Speech without text."""
    pocketsphinx: PocketsphinxSettings = Field(default_factory=PocketsphinxSettings)
    """The engine `pocketsphinx`."""
    whisper: WhisperSettings = Field(default_factory=WhisperSettings)
    """The engine `whisper`."""
    chunkformer: ChunkformerSettings = Field(default_factory=ChunkformerSettings)
    """The engine `chunkformer`."""

    def check(self) -> None:
        """Refuses an engine that is not installed."""
        find_engine(ENGINES, self.engine)
