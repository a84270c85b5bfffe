"""What all voices have in common, and what a telephone makes of each: measures both.

`make bench-diarization.channels` writes `channels.npy`, which the engine `embedded` takes out
of embeddings: otherwise those of two people on the telephone are as alike as those of one person in
a studio. The people are those for fitting of `bench.diarization.people`.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from bench.diarization.conversation import convolved
from bench.diarization.forms import CLEAN, FAR, TELEPHONE, VOIP, in_form
from bench.diarization.people import Person, people
from bench.diarization.recordings import room
from bench.diarization.turns import Turn
from bench.diarization.voices import Voice
from bench.readings import SAMPLE_RATE
from bench.report import note
from maie_diarization.engines.embedded.encoder import embed
from maie_diarization.engines.embedded.mel import Mels, mel_power
from maie_diarization.engines.embedded.models import CAMPPLUS, CHANNELS
from maie_speech.shipped_models import open_model

NARROW = (TELEPHONE, VOIP)
WIDE = (CLEAN, "white20", "pink20", "babble20", FAR)
# Of each voice so many phrases, of which the shortest fills a stretch of the encoder.
PHRASES, SHORTEST_SECONDS = 6, 1.6
# The mean of a few people is that of all people and, by about this much less, their own.
SHRUNK = 0.6
SEED = 1

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    voices: Annotated[Path | None, typer.Option(help="SPEAKER/*.flac or *.wav.")] = None,
) -> None:
    """Writes the file anew."""
    fitting, _ = people(voices)
    with tempfile.TemporaryDirectory() as folder:
        means = {form: _mean(fitting, form, Path(folder)) for form in (*NARROW, *WIDE)}
    wide = np.mean([means[form] for form in WIDE], axis=0)
    narrow = np.mean([means[form] for form in NARROW], axis=0) - wide
    for form, mean in means.items():
        note(f"{form}: {np.linalg.norm(mean - wide):.2f} from the mean of wide-band speech")
    channels = np.stack([SHRUNK * wide, narrow / np.linalg.norm(narrow)])
    np.save(CHANNELS.path, channels.astype("<f4"))


def _mean(fitting: Sequence[Person], form: str, folder: Path) -> NDArray[np.float32]:
    """The mean of the mean embeddings of all voices in a form."""
    encoder = open_model(CAMPPLUS, threads=1)
    crowd = [person[1] for person in fitting]
    means = [
        np.mean(embed(encoder, _sounds(voice, form, crowd, folder), lambda: None), axis=0)
        for person in fitting
        for voice in person
    ]
    return np.mean(means, axis=0)


def _sounds(voice: Voice, form: str, crowd: Sequence[Voice], folder: Path) -> list[Mels]:
    """Each of a voice's phrases in a form."""
    long = [each for each in voice.phrases if each.seconds >= SHORTEST_SECONDS][:PHRASES]
    sound = np.concatenate([each.audio for each in long])
    if form == FAR:
        response = room([voice], zlib.crc32(voice.name.encode()), folder)[voice.name]
        sound = convolved(sound, response)[: len(sound)]
    said = [Turn(start=0.0, end=len(sound) / SAMPLE_RATE, speaker=voice.name)]
    changed = np.round(in_form(form, sound, said, crowd, SEED) * 32768)
    ends = np.cumsum([len(each.audio) for each in long])[:-1]
    parts = np.split(np.clip(changed, -32768, 32767).astype(np.int16), ends)
    return [mel_power(part) for part in parts]


if __name__ == "__main__":
    app()
