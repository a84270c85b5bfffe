"""A Sortformer for tests: its architecture is the true one but small, and it knows no voices.

All weights are random but those of the last layer. They make one speaker of the frames in which
what comes before is on one side of its mean, and another speaker of the others: so there are turns
of two, of which one at a time speaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from maie_diarization.engine import Samples

SPEAKERS = 4
_CONFORMER, _TRANSFORMER = 64, 32
# As NVIDIA trains streaming Sortformer, but for the sizes and the numbers of layers.
CONFIG: Mapping[str, Any] = {
    "sample_rate": 16000,
    "max_num_of_spks": SPEAKERS,
    "streaming_mode": True,
    "pil_weight": 0.5,
    "ats_weight": 0.5,
    "model_defaults": {"fc_d_model": _CONFORMER, "tf_d_model": _TRANSFORMER},
    "preprocessor": {
        "_target_": "nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor",
        "normalize": "NA",
        "window_size": 0.025,
        "sample_rate": "${sample_rate}",
        "window_stride": 0.01,
        "window": "hann",
        "features": 128,
        "n_fft": 512,
        "dither": 1e-5,
    },
    "sortformer_modules": {
        "_target_": "nemo.collections.asr.modules.sortformer_modules.SortformerModules",
        "num_spks": "${max_num_of_spks}",
        "fc_d_model": "${model_defaults.fc_d_model}",
        "tf_d_model": "${model_defaults.tf_d_model}",
    },
    "encoder": {
        "_target_": "nemo.collections.asr.modules.ConformerEncoder",
        "feat_in": "${preprocessor.features}",
        "feat_out": -1,
        "n_layers": 1,
        "d_model": "${model_defaults.fc_d_model}",
        "subsampling": "dw_striding",
        "subsampling_factor": 8,
        "subsampling_conv_channels": 32,
        "self_attention_model": "rel_pos",
        "n_heads": 8,
        "att_context_size": [-1, -1],
        "conv_kernel_size": 9,
        "conv_norm_type": "batch_norm",
    },
    "transformer_encoder": {
        "_target_": "nemo.collections.asr.modules.transformer.transformer_encoders"
        ".TransformerEncoder",
        "num_layers": 1,
        "hidden_size": "${model_defaults.tf_d_model}",
        "inner_size": 128,
        "num_attention_heads": 8,
        "hidden_act": "relu",
        "pre_ln_final_layer_norm": True,
    },
    "loss": {"_target_": "nemo.collections.asr.losses.bce_loss.BCELoss", "reduction": "mean"},
    "optim": {"name": "adamw", "lr": 1e-4},
}


def write_model(file: Path, speech: Samples) -> None:
    """Writes a model as its authors do.

    Args:
        file: Where.
        speech: Speech whose frames are of one speaker or the other.
    """
    import torch
    from nemo.collections.asr.models import SortformerEncLabelModel
    from omegaconf import OmegaConf

    torch.manual_seed(1)
    model = SortformerEncLabelModel(cfg=OmegaConf.create(dict(CONFIG))).eval()
    with torch.inference_mode():
        sides = _last_hidden(model, speech)
        mean = sides.mean(dim=0)
        direction = torch.linalg.svd(sides - mean).Vh[0]
    last = model.sortformer_modules.single_hidden_to_spks
    scale = 1 / (sides - mean).matmul(direction).std()
    with torch.no_grad():
        last.weight.zero_()
        last.bias.fill_(-9.0)
        for place, sign in enumerate((1.0, -1.0)):
            last.weight[place] = sign * scale * direction
            last.bias[place] = -sign * scale * mean.dot(direction)
    file.parent.mkdir(parents=True)
    model.save_to(str(file))


def _last_hidden(model: Any, speech: Samples) -> Any:
    """What the last layer gets, of shape (frames, hidden)."""
    import torch

    found = []
    layer = model.sortformer_modules.single_hidden_to_spks
    hook = layer.register_forward_hook(lambda _, inputs, __: found.append(inputs[0][0]))
    sound = torch.from_numpy(speech / np.float32(32768))[np.newaxis]
    model(audio_signal=sound, audio_signal_length=torch.tensor([len(speech)]))
    hook.remove()
    return torch.cat(found)
