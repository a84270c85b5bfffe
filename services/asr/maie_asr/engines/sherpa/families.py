"""The families of models that sherpa-onnx reads, and how their files are named.

The names are those of the models that the authors of sherpa-onnx publish.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

TOKENS = {"tokens": "tokens.txt"}
TRANSDUCER = {
    "encoder": "encoder*.onnx",
    "decoder": "decoder*.onnx",
    "joiner": "joiner*.onnx",
    **TOKENS,
}
ONE_MODEL = {"model": "model*.onnx", **TOKENS}
# Entries that only encoders of streaming models have.
STREAMING_KEYS = {"decode_chunk_len", "window_size", "streaming_model_type"}
MODEL_TYPE = "model_type"
# The languages of Qwen3-ASR, with the names that its prompt has for them.
QWEN3_LANGUAGES = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fil": "Filipino", "fr": "French",
    "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese",
    "ko": "Korean", "mk": "Macedonian", "ms": "Malay", "nl": "Dutch", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "th": "Thai",
    "tr": "Turkish", "vi": "Vietnamese", "yue": "Cantonese", "zh": "Chinese",
}  # fmt: skip


@dataclass(kw_only=True, frozen=True, slots=True)
class Family:
    """Models that are loaded and used in one way.

    Attributes:
        name: Its name in MAIE_ASR_SHERPA_FAMILY.
        constructor: The constructor of the library's recognizer.
        files: The pattern of each file, by the constructor's argument.
        kinds: Patterns of the `model_type` in the metadata of the first of these files.
        streaming: Whether it reads speech while it comes, by the library's OnlineRecognizer.
        fixed: Arguments that are always the same.
        beams: Whether it can be decoded by modified_beam_search, and so with hotwords.
        language_codes: Its languages; empty where the model or the settings have to say.
        detects_language: Whether it finds out which of them is spoken.
        word_times: Whether its tokens have times.
        punctuates: Whether it writes punctuation; None where its vocabulary says so.
        exclusive: Whether only one thread may use it at a time, since it keeps something between
            two calls.
    """

    name: str
    constructor: str
    files: Mapping[str, str]
    kinds: tuple[str, ...] = ("*",)
    streaming: bool = False
    fixed: Mapping[str, Any] = field(default_factory=dict)
    beams: bool = False
    language_codes: tuple[str, ...] = ()
    detects_language: bool = False
    word_times: bool = False
    punctuates: bool | None = None
    exclusive: bool = False

    def fits(self, metadata: Mapping[str, str]) -> bool:
        """Whether a model with this metadata may be one of the family."""
        kind = metadata.get(MODEL_TYPE, "")
        is_streaming = not STREAMING_KEYS.isdisjoint(metadata)
        return self.streaming == is_streaming and any(
            fnmatchcase(kind, each) for each in self.kinds
        )


# The first that fits is taken.
FAMILIES = (
    Family(
        name="qwen3-asr",
        constructor="from_qwen3_asr",
        files={
            "conv_frontend": "conv_frontend*.onnx",
            "encoder": "encoder*.onnx",
            "decoder": "decoder*.onnx",
            "tokenizer": "tokenizer",
        },
        # The library's own limit cuts dense speech off.
        fixed={"max_new_tokens": 256},
        language_codes=tuple(QWEN3_LANGUAGES),
        detects_language=True,
        punctuates=True,
        exclusive=True,
    ),
    Family(
        name="moonshine",
        constructor="from_moonshine",
        files={
            "preprocessor": "preprocess*.onnx",
            "encoder": "encode*.onnx",
            "uncached_decoder": "uncached_decode*.onnx",
            "cached_decoder": "cached_decode*.onnx",
            **TOKENS,
        },
        punctuates=True,
    ),
    Family(
        name="moonshine-v2",
        constructor="from_moonshine_v2",
        files={"encoder": "encoder_model*.ort", "decoder": "decoder_model_merged*.ort", **TOKENS},
        punctuates=True,
    ),
    Family(
        name="streaming-nemo-transducer",
        constructor="from_transducer",
        files=TRANSDUCER,
        kinds=("EncDec*",),
        streaming=True,
        word_times=True,
    ),
    Family(
        name="streaming-transducer",
        constructor="from_transducer",
        files=TRANSDUCER,
        streaming=True,
        beams=True,
        word_times=True,
    ),
    Family(
        name="nemo-transducer",
        constructor="from_transducer",
        files=TRANSDUCER,
        kinds=("EncDec*",),
        fixed={"model_type": "nemo_transducer"},
        beams=True,
        word_times=True,
    ),
    Family(
        name="transducer",
        constructor="from_transducer",
        files=TRANSDUCER,
        fixed={"model_type": "transducer"},
        beams=True,
        word_times=True,
    ),
    Family(
        name="canary",
        constructor="from_nemo_canary",
        files={"encoder": "encoder*.onnx", "decoder": "decoder*.onnx", **TOKENS},
        kinds=("EncDecMultiTaskModel",),
        language_codes=("de", "en", "es", "fr"),
        punctuates=True,
        exclusive=True,
    ),
    Family(
        name="whisper",
        constructor="from_whisper",
        files={"encoder": "*encoder*.onnx", "decoder": "*decoder*.onnx", "tokens": "*tokens.txt"},
        kinds=("whisper*",),
        detects_language=True,
        punctuates=True,
        exclusive=True,
    ),
    Family(
        name="sense-voice",
        constructor="from_sense_voice",
        files=ONE_MODEL,
        kinds=("sense_voice*",),
        language_codes=("en", "ja", "ko", "yue", "zh"),
        detects_language=True,
        word_times=True,
        punctuates=True,
    ),
    Family(
        name="paraformer",
        constructor="from_paraformer",
        files={"paraformer": "model*.onnx", **TOKENS},
        kinds=("paraformer",),
    ),
    Family(
        name="nemo-ctc",
        constructor="from_nemo_ctc",
        files=ONE_MODEL,
        kinds=("EncDec*",),
        word_times=True,
    ),
    Family(
        name="zipformer-ctc",
        constructor="from_zipformer_ctc",
        files=ONE_MODEL,
        kinds=("zipformer*ctc",),
        word_times=True,
    ),
)
