"""Which models no engine loads: those that are missing, damaged, or could run code."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from maie_cli.models import trust
from maie_core.errors import StageError
from maie_diarization.settings import DiarizationSettings
from tests.diarization.engine_cases import CASES, is_installed, skipped_without
from tests.diarization.engine_damage import (
    NEMO_CONFIG,
    NEMO_WEIGHTS,
    PYANNOTE_WEIGHTS,
    Damage,
    Payload,
    checkpoint,
    compressed,
    config,
    config_text,
    copied,
    empty,
    flipped,
    garbage,
    halved,
    marker_of,
    nemo_bytes,
    nemo_config,
    nemo_halved,
    nemo_text,
    nemo_weights,
    nemo_without,
    nothing,
    payload,
    without,
)

pytestmark = pytest.mark.unit

NEMO = "tiny.nemo"
ELSEWHERE = "nemo.collections.asr.modules.RNNEncoder"


@dataclass(kw_only=True, frozen=True)
class Refused:
    """A model that an engine does not load.

    Attributes:
        damage: What is wrong with its files.
        reason: Why it is refused.
        trusted: Whether somebody trusted the files as they are.
        settings: What is wrong with the engine's settings.
    """

    damage: Damage
    reason: str
    trusted: bool = True
    settings: Mapping[str, Any] | None = None


missing = partial(Refused, reason="MODEL_MISSING")
corrupt = partial(Refused, reason="MODEL_CORRUPT")
unsafe = partial(Refused, reason="MODEL_UNSAFE")


def kinds(weights: str) -> dict[str, Refused]:
    """What is refused of every engine.

    Args:
        weights: A file with weights.
    """
    return {
        "no model is set": missing(damage=nothing, settings={"model_path": None}),
        "an empty folder": missing(damage=empty, trusted=False),
        "no such folder": missing(damage=shutil.rmtree, trusted=False),
        "lost after it was trusted": missing(damage=without(weights), trusted=False),
        "changed after it was trusted": corrupt(damage=flipped(weights), trusted=False),
        "cut short after it was trusted": corrupt(damage=halved(weights), trusted=False),
        "trusted by nobody": corrupt(damage=without("maie-manifest.json"), trusted=False),
        "not what the setting pins": corrupt(damage=nothing, settings={"sha256": "0" * 64}),
        "cut short before it was trusted": corrupt(damage=halved(weights)),
    }


REFUSED: dict[str, dict[str, Refused]] = {
    "pyannote": kinds(PYANNOTE_WEIGHTS)
    | {
        "weights that are none": corrupt(damage=garbage(PYANNOTE_WEIGHTS)),
        "a configuration that is no YAML": corrupt(damage=config_text("pipeline: {")),
        "a configuration of nothing": corrupt(damage=config_text("{}")),
        "weights of another model": corrupt(damage=checkpoint(lambda _: {"state_dict": {}})),
        "another pipeline": unsafe(
            damage=config(lambda each: each["pipeline"].update(name="os.system"))
        ),
        "a section that runs more": unsafe(
            damage=config(lambda each: each.update(preprocessors={"audio": "os.system"}))
        ),
        "weights that run code": unsafe(damage=checkpoint(payload)),
        "a model from a hub": missing(
            damage=config(lambda each: each["pipeline"]["params"].update(plda="a/model"))
        ),
        "a model outside of the folder": missing(
            damage=config(lambda each: each["pipeline"]["params"].update(plda="$model/../plda"))
        ),
    },
    "sortformer": kinds(NEMO)
    | {
        "two models": missing(damage=copied(NEMO, "second.nemo")),
        "no archive": corrupt(damage=garbage(NEMO)),
        "a compressed archive": corrupt(damage=compressed(NEMO)),
        "an archive without weights": corrupt(damage=nemo_without(NEMO, NEMO_WEIGHTS)),
        "an archive without a configuration": corrupt(damage=nemo_without(NEMO, NEMO_CONFIG)),
        "an archive with half of the weights": corrupt(damage=nemo_halved(NEMO)),
        "weights that are none": corrupt(damage=nemo_bytes(NEMO, b"\x00no weights" * 100)),
        "a configuration that is no YAML": corrupt(damage=nemo_text(NEMO, "encoder: {")),
        "a configuration of nothing": corrupt(damage=nemo_text(NEMO, "{}")),
        "weights of another model": corrupt(damage=nemo_weights(NEMO, lambda _: {})),
        "another size than the weights have": corrupt(
            damage=nemo_config(NEMO, lambda each: each["encoder"].update(n_layers=2))
        ),
        "another model": unsafe(
            damage=nemo_config(NEMO, lambda each: each.update(target="os.system"))
        ),
        "another class of a part": unsafe(
            damage=nemo_config(NEMO, lambda each: each["encoder"].update(_target_=ELSEWHERE))
        ),
        "a class outside of the library": unsafe(
            damage=nemo_config(
                NEMO, lambda each: each["encoder"].update(_target_="os.ConformerEncoder")
            )
        ),
        "a further class in an option": unsafe(
            damage=nemo_config(
                NEMO, lambda each: each["encoder"].update(dropout=[{"_target_": ELSEWHERE}])
            )
        ),
        "a class as hydra named it once": unsafe(
            damage=nemo_config(NEMO, lambda each: each["encoder"].update(cls="os.system"))
        ),
        "a text that asks the environment": unsafe(
            damage=nemo_config(
                NEMO, lambda each: each["model_defaults"].update(secret="${oc.env:HOME}")
            )
        ),
        "weights that run code": unsafe(damage=nemo_weights(NEMO, payload)),
    },
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DiarizationSettings]:
    """Settings for a whole model of each engine that is installed."""
    return {
        name: CASES[name].settings(tmp_path_factory.mktemp(name))
        for name in REFUSED
        if all(map(is_installed, CASES[name].packages))
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param(name, kind, marks=skipped_without(CASES[name].packages), id=f"{name}: {kind}")
        for name, refused in REFUSED.items()
        for kind in refused
    ],
)
@pytest.mark.asyncio
async def test_a_model_is_refused(
    name: str, kind: str, models: dict[str, DiarizationSettings], tmp_path: Path
) -> None:
    refused, root = REFUSED[name][kind], tmp_path / "model"
    shutil.copytree(getattr(models[name], name).model_path, root)
    refused.damage(root)
    if refused.trusted:
        trust(root)
    chosen = getattr(models[name], name).model_copy(
        update={"model_path": root, **(refused.settings or {})}
    )
    settings = models[name].model_copy(update={name: chosen})

    with pytest.raises(StageError) as error:
        async with CASES[name].create(settings):
            pass

    assert error.value.reason == refused.reason
    assert error.value.message.endswith(".")
    assert not marker_of(root).exists()


@pytest.mark.asyncio
@pytest.mark.parametrize("name", REFUSED)
async def test_an_engine_says_which_package_it_lacks(name: str) -> None:
    case = CASES[name]
    if is_installed(case.packages[0]):
        pytest.skip(f"{case.packages[0]} is installed")

    with pytest.raises(StageError, match=case.packages[0]) as error:
        async with case.create(DiarizationSettings(engine=name)):
            pass

    assert error.value.reason == "ENGINE_NOT_INSTALLED"


def test_the_weights_that_run_code_would_run_it(tmp_path: Path) -> None:
    marker = marker_of(tmp_path / "model")

    pickle.loads(pickle.dumps(Payload(marker)))

    assert marker.exists()
