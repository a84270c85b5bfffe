"""A tiny ChunkFormer with random weights, as the hub has them: the real code, and no meaning."""

from __future__ import annotations

import json
from pathlib import Path

PIECES = ("<blank>", "<unk>", *(f"▁{letter}" for letter in "abcdefghijklmnop"), "<sos/eos>")
SIZE = 32
BINS = 80


def write_checkpoint(root: Path) -> None:
    """Writes config, vocabulary, statistics and a pickle of weights; always the same ones."""
    import torch
    import yaml

    from maie_asr.engines.chunkformer.model import stand_in_for_native_torchaudio

    stand_in_for_native_torchaudio()
    from chunkformer.chunkformer_model import ChunkFormerConfig, ChunkFormerModel

    root.mkdir(parents=True)
    statistics = {"mean_stat": [0.0] * BINS, "var_stat": [100.0] * BINS, "frame_num": 1}
    (root / "global_cmvn").write_text(json.dumps(statistics))
    pieces = "".join(f"{piece} {number}\n" for number, piece in enumerate(PIECES))
    (root / "vocab.txt").write_text(pieces, encoding="utf-8")
    layers = {"attention_heads": 2, "linear_units": SIZE, "num_blocks": 2}
    config = {
        "input_dim": BINS,
        "output_dim": len(PIECES),
        "is_json_cmvn": True,
        "encoder_conf": {
            **layers,
            "output_size": SIZE,
            "cnn_module_norm": "layer_norm",
            "dynamic_conv": True,
        },
        "decoder_conf": layers,
        "model_conf": {"ctc_weight": 0.5},
    }
    (root / "config.yaml").write_text(yaml.safe_dump(config))
    torch.manual_seed(7)
    known = {**config, "cmvn_file": str(root / "global_cmvn")}
    model = ChunkFormerModel(ChunkFormerConfig.from_dict(known)).model
    # Random weights say little but blanks; a push makes them say something now and then.
    torch.nn.init.normal_(model.ctc.ctc_lo.weight, std=1.0)
    torch.save(model.state_dict(), root / "pytorch_model.pt")
