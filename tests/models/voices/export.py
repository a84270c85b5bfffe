"""The trained network as an ordinary Whisper in CTranslate2's format."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from ctranslate2.converters import TransformersConverter
from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

from tests.models.voices.network import (
    DECODER_LAYERS,
    GUIDED,
    HEADS,
    INNER,
    MELS,
    POSITIONS,
    SHIFTS,
    WIDTH,
    Network,
)
from tests.models.voices.tokens import LANGUAGES, Vocabulary

MOST_TOKENS = 448
# Parts whose weights go by the same names in transformers.
SAME = ("layers", "conv1", "conv2", "layer_norm")
# As transformers and faster-whisper read it.
FEATURES = {
    "feature_size": MELS,
    "sampling_rate": 16000,
    "hop_length": 160,
    "chunk_length": 30,
    "n_fft": 400,
    "n_samples": 480000,
    "nb_max_frames": 3000,
    "padding_side": "right",
    "padding_value": 0.0,
    "return_attention_mask": False,
    "feature_extractor_type": "WhisperFeatureExtractor",
    "processor_class": "WhisperProcessor",
}


def export(network: Network, vocabulary: Vocabulary, folder: Path) -> None:
    """Writes model.bin in int8 with config, vocabulary, tokenizer and the features' parameters."""
    with tempfile.TemporaryDirectory() as temporary:
        plain = Path(temporary)
        to_whisper(network, vocabulary).save_pretrained(plain)
        vocabulary.tokenizer.save(str(plain / "tokenizer.json"), pretty=False)
        # By hand: transformers drops what CTranslate2 needs to know from what it saves itself.
        _write(plain / "generation_config.json", _generation(vocabulary))
        _write(plain / "preprocessor_config.json", FEATURES)
        special = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
        special["tokenizer_class"] = "PreTrainedTokenizerFast"
        _write(plain / "tokenizer_config.json", special)
        converter = TransformersConverter(
            str(plain), copy_files=["tokenizer.json", "preprocessor_config.json"]
        )
        converter.convert(str(folder), quantization="int8", force=True)


@torch.no_grad()
def to_whisper(network: Network, vocabulary: Vocabulary) -> WhisperForConditionalGeneration:
    """The same as transformers' Whisper, with tables in place of what comes from sinusoids."""
    end = vocabulary.end
    whisper = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=vocabulary.size,
            num_mel_bins=MELS,
            d_model=WIDTH,
            encoder_layers=len(SHIFTS),
            decoder_layers=DECODER_LAYERS,
            encoder_attention_heads=HEADS,
            decoder_attention_heads=HEADS,
            encoder_ffn_dim=INNER,
            decoder_ffn_dim=INNER,
            max_source_positions=POSITIONS,
            max_target_positions=MOST_TOKENS,
            pad_token_id=end,
            bos_token_id=end,
            eos_token_id=end,
            decoder_start_token_id=vocabulary.special("<|startoftranscript|>"),
            suppress_tokens=None,
            begin_suppress_tokens=_never_first(vocabulary),
        )
    ).eval()
    embeddings = network.decoder.embeddings()
    weights = {
        "model.decoder.embed_tokens.weight": embeddings,
        "proj_out.weight": embeddings,
        "model.decoder.embed_positions.weight": network.decoder.positions(MOST_TOKENS),
        "model.encoder.embed_positions.weight": network.encoder.positions,
    }
    for name, tensor in network.state_dict().items():
        if name.partition(".")[2].startswith(SAME):
            weights[f"model.{name}"] = tensor
    whisper.load_state_dict(weights)
    whisper.generation_config = GenerationConfig(eos_token_id=end)
    return whisper


def _generation(vocabulary: Vocabulary) -> dict[str, Any]:
    end = vocabulary.end
    return {
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "decoder_start_token_id": vocabulary.special("<|startoftranscript|>"),
        # The guided heads, so that faster-whisper finds the times of words.
        "alignment_heads": [[DECODER_LAYERS - 1, head] for head in range(GUIDED)],
        "lang_to_id": {f"<|{each}|>": vocabulary.special(f"<|{each}|>") for each in LANGUAGES},
        "is_multilingual": True,
        "suppress_tokens": [],
        "begin_suppress_tokens": _never_first(vocabulary),
        "no_timestamps_token_id": vocabulary.special("<|notimestamps|>"),
        "task_to_id": {
            task: vocabulary.special(f"<|{task}|>") for task in ("transcribe", "translate")
        },
    }


def _never_first(vocabulary: Vocabulary) -> list[int]:
    """A lone space, as the byte-level alphabet writes it, and the end."""
    return [vocabulary.special("Ġ"), vocabulary.end]


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")
