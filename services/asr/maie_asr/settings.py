"""Settings of the ASR service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from maie_core.settings import GpuServiceSettings, Settings
from maie_runtime.worker.cores import usable_cores
from maie_runtime.worker.engines import find_engine
from maie_speech.turns import END_THRESHOLD, MAX_SILENCE_SECONDS, QUESTION_SECONDS

SuspectTextPolicy = Literal["off", "report", "remove"]
Sha256 = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]

ENGINES = "maie.asr.engines"
TURN_DETECTORS = "maie.asr.turn_detectors"
# More readings at a time wait for memory more than they compute.
MAX_AUTO_WORKERS = 8


class SuspectTextSettings(Settings):
    """Text that was probably never spoken; `MAIE_ASR_SUSPECT_TEXT_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ASR_SUSPECT_TEXT_")

    policy: SuspectTextPolicy = "remove"
    """What to do with such text unless a request says otherwise: `off` does not look for it,
    `report` reports it in the result, `remove` reports it and leaves it out of the transcript."""
    max_repeats: int = Field(default=8, ge=2)
    """A phrase of up to 30 words is a loop if it repeats more often than this in a row and makes up
    half of its segment. So are more identical segments in a row."""
    min_speech_share: float = Field(default=0.1, ge=0, le=1)
    """A segment whose share of speech is below this is noise or silence."""
    keep_confidence: float = Field(default=0.5, ge=0, le=1)
    """Such a segment is kept if its confidence is at least this and the VAD does not rule out
    speech."""


class RereadSettings(Settings):
    """The second reading of speech without text; `MAIE_ASR_REREAD_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ASR_REREAD_")

    seconds: float = Field(default=1.0, ge=0, le=30)
    """Speech of at least this length without text is transcribed again by itself. If it still has
    no text, the result reports it as unread. 0 turns this off."""
    min_confidence: float = Field(default=0.4, ge=0, le=1)
    """Segments of the second reading with a lower confidence are dropped."""


class PocketsphinxSettings(Settings):
    """The engine `pocketsphinx`; `MAIE_ASR_POCKETSPHINX_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ASR_POCKETSPHINX_")

    model_path: Path | None = None
    """The model's directory, laid out as `en-us` in pocketsphinx's package; unset: that one."""
    sha256: Sha256 = ""
    """The expected SHA-256 of the model's files. Leave empty for the packaged model, or if the
    manifest beside the files has it."""
    margin_seconds: float = Field(default=0.1, ge=0, le=2)
    """Audio that is decoded before and after each speech range, beyond the range's own padding and
    at most half of a pause. The default covers the short silences at the ends of a clip; a longer
    margin is less accurate."""


class WhisperSettings(Settings):
    """The engine `whisper`; `MAIE_ASR_WHISPER_` in the environment."""

    # pydantic reserves the prefix model_ by default.
    model_config = SettingsConfigDict(env_prefix="MAIE_ASR_WHISPER_", protected_namespaces=())

    model_path: Path | None = None
    """The directory of a CTranslate2 Whisper model; unset: `whisper-base` in `MAIE_MODELS_DIR`. It
    is never downloaded."""
    variant: str = ""
    """The model's name, such as `large-v3`; empty: the directory's name."""
    sha256: Sha256 = ""
    """The expected SHA-256 of the model's files. Leave empty if the manifest beside them has it."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the model runs."""
    device_index: tuple[int, ...] = Field(default=(0,), min_length=1)
    """The GPUs that hold the model, as a JSON list; requests spread over them."""
    compute_type: Literal["auto", "float32", "float16", "bfloat16", "int8_float16", "int8"] = "auto"
    """The model's arithmetic; `auto` is float16 on a GPU and int8 on a CPU."""
    cpu_threads: int = Field(default=0, ge=0)
    """Threads of one recognition on a CPU. 0 uses OMP_NUM_THREADS; without it, the slots share the
    cores that the process may use, up to 4 for each."""
    batch_size: int = Field(default=1, ge=1, le=256)
    """Windows of one chunk that are decoded in one batch. 1 decodes them in turn, each with the
    text before it as context."""
    cross_batch_size: int | None = Field(default=None, ge=1, le=256)
    """The most windows of different requests in one batch; 1 decodes each request by itself. Unset:
    16 on a GPU, 1 on a CPU, which gains nothing. Windows that are conditioned on the previous text
    are batched only in the encoder."""
    cross_batch_wait_ms: float = Field(default=20.0, ge=0, le=1000)
    """How long a window waits for windows of other requests that are being prepared. A single
    request never waits."""
    reproducible: bool = False
    """Whether the same chunk must give bitwise the same words, times and confidences on the same
    machine under any load: each request is decoded by itself, and temperatures above 0 are refused.
    The engine version in a result includes this setting."""

    beam_size: int = Field(default=5, ge=1)
    """The number of hypotheses that beam search keeps."""
    temperature: tuple[float, ...] = Field(default=(0.0,), min_length=1)
    """Temperatures to try until a text passes the thresholds, as a JSON list. Above 0 the decoder
    samples, so the same audio may give different texts."""
    compression_ratio_threshold: float | None = 2.4
    """A text with a higher compression ratio is a loop and is decoded at the next temperature."""
    log_prob_threshold: float | None = -1.0
    """A text with a lower mean log probability is decoded at the next temperature."""
    no_speech_threshold: float | None = 0.6
    """A window with a higher probability of silence that also fails `log_prob_threshold` has no
    text."""
    condition_on_previous_text: bool = False
    """Whether a window is decoded with the text before it as context. It helps with spelling, and
    loses speech (docs/accuracy.md). Always off for distil models."""
    initial_prompt: str | None = None
    """Text to decode as if it preceded the recording, for style and spelling."""
    hallucination_silence_threshold: float | None = Field(default=None, gt=0)
    """Seconds of silence within which a suspicious text is dropped. Needs word times."""

    vad_filter: bool = True
    """Whether long pauses within a chunk are cut out before it is decoded."""
    vad_threshold: float | None = Field(default=None, gt=0, lt=1)
    """Set: faster-whisper's own VAD finds the speech in each chunk, with this probability
    threshold. Unset: the pauses are those between the chunk's speech ranges from preprocess, which
    is best for telephone audio."""
    vad_min_silence_ms: int = Field(default=2000, ge=0)
    """Shorter pauses are kept. With half a second, words are lost at the cuts."""
    vad_speech_pad_ms: int = Field(default=400, ge=0)
    """Audio kept before and after each speech range."""

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
    """The model's name; empty: the directory's name."""
    sha256: Sha256 = ""
    """The expected SHA-256 of the model's files. Leave empty if the manifest beside them has it."""
    language_code: str = Field(default="vi", pattern=r"^[a-z]{2,3}$")
    """The one language that the model transcribes."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where the model runs."""
    device_index: int = Field(default=0, ge=0)
    """The GPU that holds the model."""
    compute_type: Literal["float32", "float16", "bfloat16"] = "float32"
    """The arithmetic of the layers that tolerate less than float32."""
    cpu_threads: int = Field(default=0, ge=0)
    """Threads on a CPU. 0 uses OMP_NUM_THREADS; without it, all cores that the process may use."""
    chunk_size: int = Field(default=64, ge=1)
    """The model's chunk, in frames of 80 ms."""
    left_context_size: int = Field(default=128, ge=0)
    """The context before each chunk, in frames of 80 ms."""
    right_context_size: int = Field(default=128, ge=0)
    """The look-ahead after each chunk, in frames of 80 ms."""
    total_batch_seconds: int = Field(default=14400, ge=10)
    """Seconds of audio in memory at once; fewer need less GPU memory."""
    max_silence_seconds: float = Field(default=0.5, gt=0)
    """A longer silence ends a segment."""


class SherpaSettings(Settings):
    """The engine `sherpa`; `MAIE_ASR_SHERPA_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ASR_SHERPA_", protected_namespaces=())

    model_path: Path | None = None
    """The directory of a model of sherpa-onnx, as its authors publish them. It is never
    downloaded."""
    variant: str = ""
    """The model's name; empty: the directory's name."""
    sha256: Sha256 = ""
    """The expected SHA-256 of the model's files. Leave empty if the manifest beside them has it."""
    family: str = ""
    """The model's family, by its name in docs/models.md; empty: what its files say."""
    language_codes: tuple[LanguageCode, ...] = ()
    """The languages that the model reads, as a JSON list of primary subtags. Empty: those that the
    model names; it must be set for models that name none. One of several fixes the language of
    SenseVoice."""
    cpu_threads: int = Field(default=0, ge=0)
    """Threads of one recognition. 0 uses OMP_NUM_THREADS; without it, the slots share the cores
    that the process may use, up to 4 for each."""
    window_seconds: float = Field(default=20.0, ge=2, le=28)
    """The longest audio that is read at once. Longer speech is divided where it is quietest."""
    max_pause_seconds: float = Field(default=2.0, ge=0)
    """A longer pause ends the audio that is read at once."""
    decoding_method: Literal["greedy_search", "modified_beam_search"] = "greedy_search"
    """How transducers are decoded. Hotwords need `modified_beam_search`."""
    max_active_paths: int = Field(default=4, ge=1)
    """The number of hypotheses that beam search keeps."""
    hotwords_score: float = Field(default=1.5, ge=0)
    """How much likelier beam search takes each token of a hotword."""
    modeling_unit: Literal["", "bpe", "cjkchar", "cjkchar+bpe"] = ""
    """What hotwords are divided into. Empty: `bpe` where the model has a bpe.vocab; without one it
    takes no hotwords."""
    blank_penalty: float = Field(default=0.0, ge=0)
    """How much less likely transducers take silence; a little more gives fewer omissions."""
    inverse_text_normalization: bool = True
    """Whether SenseVoice writes numbers as digits, and punctuation."""

    @model_validator(mode="after")
    def _pieces_need_a_vocabulary(self) -> Self:
        if self.modeling_unit and self.decoding_method != "modified_beam_search":
            raise ValueError("modeling_unit needs the decoding_method modified_beam_search")
        return self


class LiveSettings(Settings):
    """Recognition while somebody speaks; `MAIE_ASR_LIVE_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ASR_LIVE_", protected_namespaces=())

    tracks: int = Field(default=16, ge=0, le=1000)
    """The most live tracks at a time; fewer where another one could not be served in time. 0 takes
    recordings alone. Also off while the model shares its GPU with other services."""
    engine: str = ""
    """The engine for live speech; empty: that of recordings."""
    model_path: Path | None = None
    """The directory of the engine's model for live speech; unset: that of recordings."""
    device: Literal["", "cpu", "cuda"] = ""
    """Where the model for live speech runs; empty: where that of recordings does."""
    workers: int = Field(default=0, ge=0, le=64)
    """How many readings run at a time, on a CPU each in one thread. 0: one for each core that the
    process may use, up to 8."""
    stall_seconds: float = Field(default=30.0, gt=0)
    """A service ends with status 70, for a restart, where a reading takes longer than this; other
    replicas take its tracks. At least 30 times what the slowest reading at its start took."""
    beam_size: int = Field(default=5, ge=1)
    """The number of hypotheses that beam search keeps for a final."""
    busy_beam_size: int = Field(default=1, ge=1)
    """Likewise, while other finals wait."""
    partial_beam_size: int = Field(default=1, ge=1)
    """Likewise, for a partial result."""
    partials: bool = True
    """Whether partial results come, unless a request says otherwise."""
    partial_interval_seconds: float = Field(default=1.0, ge=0.2, le=10)
    """The time between two partial results; more under load."""
    partial_min_stability: float = Field(default=0.0, ge=0, le=1)
    """The least stability of the text of partial results, unless a request says otherwise: what is
    less stable is left out, above 0 all text that may change."""
    turn_detector: Literal["vad", "client", "model"] = "vad"
    """What ends an utterance unless a request says otherwise: silence, only the client, or a model
    that judges whether the speaker is done."""
    turn_engine: str = ""
    """The engine with that model, by its name among the entry points `maie.asr.turn_detectors`:
    `smart-turn`. Empty: none, and requests for it are refused."""
    turn_model_path: Path | None = None
    """The directory of its model; unset: the engine's default in `MAIE_MODELS_DIR`. It is never
    downloaded."""
    turn_model_sha256: Sha256 = ""
    """The expected SHA-256 of the model's files. Leave empty if the manifest beside them has it."""
    turn_end_threshold: float = Field(default=END_THRESHOLD, ge=0.05, le=0.95)
    """The probability that the speaker is done from which the model ends an utterance."""
    turn_interval_seconds: float = Field(default=QUESTION_SECONDS, ge=0.05, le=5)
    """The model is asked after `eager_silence_seconds` of silence, and then each time after this
    much more."""
    turn_max_silence_seconds: float = Field(default=MAX_SILENCE_SECONDS, ge=0.5, le=10)
    """The silence that ends an utterance whatever the model says."""
    turn_answer_seconds: float = Field(default=0.5, gt=0, le=60)
    """The longest wait for an answer of the model; a later one is ignored. The track's audio waits
    meanwhile."""
    threshold: float | None = Field(default=None, ge=0.05, le=0.95)
    """The probability of speech from which an utterance begins. Unset: 0.3, and 0.1 in the band of
    a telephone."""
    min_silence_seconds: float = Field(default=0.5, ge=0.1, le=5)
    """The silence that ends an utterance."""
    eager_silence_seconds: float = Field(default=0.2, ge=0, le=5)
    """The silence after which the end is decoded ahead; 0 for never. Finals come sooner by what the
    decoding takes. Where people pause often, four of ten are useless, and are cut short."""
    eager_end: bool = False
    """Whether a probable end is announced."""
    max_utterance_seconds: float = Field(default=20.0, ge=2, le=28)
    """The longest utterance; a longer one is divided where speech is least probable."""

    @model_validator(mode="after")
    def _a_model_needs_an_engine(self) -> Self:
        if self.turn_detector == "model" and not self.turn_engine:
            raise ValueError("turn_detector model needs a turn_engine, such as smart-turn")
        return self

    @property
    def apart(self) -> bool:
        """Whether live speech has an engine of its own."""
        return bool(self.engine or self.model_path or self.device)

    @property
    def worker_count(self) -> int:
        """How many readings run at a time."""
        return self.workers or min(usable_cores(), MAX_AUTO_WORKERS)


class AsrSettings(GpuServiceSettings):
    """The ASR service; `MAIE_ASR_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="MAIE_ASR_")

    listen: str = "127.0.0.1:50053"
    """The address that gRPC listens on; port 0 takes a free one."""
    engine: str = "whisper"
    """The engine, by its name among the entry points `maie.asr.engines`."""
    language_code: str = ""
    """The default spoken language; detected if neither this nor the request names one."""
    hotwords: tuple[str, ...] = ()
    """Default hotwords: likely words and names, as a JSON list."""
    word_time_offsets: bool = True
    """Whether words carry times, unless a request says otherwise."""
    translate: bool = False
    """Whether to translate into English, unless a request says otherwise."""
    suspect_text: SuspectTextSettings = Field(default_factory=SuspectTextSettings)
    """Text that was probably never spoken."""
    reread: RereadSettings = Field(default_factory=RereadSettings)
    """The second reading of speech without text."""
    pocketsphinx: PocketsphinxSettings = Field(default_factory=PocketsphinxSettings)
    """The engine `pocketsphinx`."""
    whisper: WhisperSettings = Field(default_factory=WhisperSettings)
    """The engine `whisper`."""
    chunkformer: ChunkformerSettings = Field(default_factory=ChunkformerSettings)
    """The engine `chunkformer`."""
    sherpa: SherpaSettings = Field(default_factory=SherpaSettings)
    """The engine `sherpa`."""
    live: LiveSettings = Field(default_factory=LiveSettings)
    """Recognition while somebody speaks."""

    @model_validator(mode="after")
    def _have_a_port_for_live_speech(self) -> Self:
        if self.rpc == "off" and self.live_tracks:
            raise ValueError(
                "MAIE_ASR_RPC=off leaves no port for live speech: set MAIE_ASR_LIVE_TRACKS=0 as "
                "well, or leave MAIE_ASR_RPC on"
            )
        return self

    @property
    def live_tracks(self) -> int:
        """The most live tracks at a time. A model that shares its GPU is not there at all times."""
        return 0 if self.shared_gpu and self.live.device != "cpu" else self.live.tracks

    def check(self) -> None:
        """Refuses an engine that is not installed."""
        find_engine(ENGINES, self.engine)
        find_engine(ENGINES, self.live.engine or self.engine)
        if self.live.turn_engine:
            find_engine(TURN_DETECTORS, self.live.turn_engine)
