"""A tiny wav2vec2 with random weights, written by transformers itself."""

from __future__ import annotations

import json
from pathlib import Path
from string import ascii_uppercase

from tests.alignment.ctc_model import trust

TOKENS = ("<pad>", "|", "'", *ascii_uppercase)


def write_torch_model(folder: Path) -> Path:
    """Writes a folder as the hub has them."""
    # In the environment of the tests torchaudio does not fit torch, and transformers imports it.
    from maie_asr.engines.chunkformer.model import stand_in_for_native_torchaudio

    stand_in_for_native_torchaudio()
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    torch.manual_seed(1)
    config = Wav2Vec2Config(
        vocab_size=len(TOKENS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        conv_dim=(16,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        pad_token_id=0,
    )
    Wav2Vec2ForCTC(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    vocabulary = {token: number for number, token in enumerate(TOKENS)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    return trust(folder)
