"""Which of up to four speakers of a chunk speaks when: Sortformer, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from maie_diarization.engine import SAMPLE_RATE, Samples, Turn

_FULL_SCALE: Final = np.float32(32768)


def speaking(
    model: Any, samples: Samples, heartbeat: Callable[[], None]
) -> tuple[NDArray[np.float32], float]:
    """Runs the model over a chunk of any length.

    Args:
        model: NeMo's `SortformerEncLabelModel`.
        samples: The chunk.
        heartbeat: Called before the first step and after each, which is of 27 s.

    Returns:
        How probably each speaker speaks, of shape (frames, speakers), where speakers are in the
        order in which they first speak; and the seconds of a frame. A chunk of less than 10 ms has
        no frames.
    """
    import torch

    modules = model.sortformer_modules
    sound = torch.from_numpy(samples / _FULL_SCALE)[np.newaxis]
    with torch.inference_mode():
        features, lengths = model.process_signal(sound, torch.tensor([len(samples)]))
        features = features[:, :, : int(lengths.max())]
        heartbeat()
        state = modules.init_streaming_state(batch_size=1, device=model.device)
        found = [np.zeros((0, modules.n_spk), np.float32)]
        for _, part, length, before, after in modules.streaming_feat_loader(
            feat_seq=features,
            feat_seq_length=lengths,
            feat_seq_offset=torch.zeros_like(lengths),
        ):
            state, scores = model.forward_streaming_step(
                processed_signal=part,
                processed_signal_length=length,
                streaming_state=state,
                total_preds=torch.zeros((1, 0, modules.n_spk), device=model.device),
                left_offset=before,
                right_offset=after,
            )
            found.append(scores[0].cpu().numpy())
            heartbeat()
    stride = model.cfg.preprocessor.window_stride * modules.subsampling_factor
    return np.concatenate(found), float(stride)


def turns_of(active: NDArray[np.bool_], frame: float, samples: int) -> tuple[Turn, ...]:
    """The turns of a speaker.

    Args:
        active: Whether the speaker speaks, of shape (frames,).
        frame: The seconds of a frame.
        samples: The samples of the chunk; its last frame may reach beyond it.
    """
    length = samples / SAMPLE_RATE
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    return tuple(
        Turn(start=first * frame, end=min(last * frame, length))
        for first, last in edges.reshape(-1, 2).tolist()
        if first * frame < length
    )
