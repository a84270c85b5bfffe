"""What is fuzzed in this process: each parser of what others wrote.

A target takes any bytes. It lets no error out but a defect: the errors that a parser documents
are caught here.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address
from typing import Any, BinaryIO, cast

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from google.protobuf.message import DecodeError
from pydantic import ValidationError
from typer._click.exceptions import ClickException

from maie.event.v1 import event_pb2 as event
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.live.v1 import session_pb2 as session
from maie_audio.formats import Format
from maie_audio.formats import Limits as LiveLimits
from maie_audio.formats import RefusedError as LiveRefusedError
from maie_audio.track import TrackDecoder
from maie_cli.app import app
from maie_core.api_keys import new_key, parse_key
from maie_core.errors import Code, StageError
from maie_core.names import is_harmless
from maie_core.trace_context import context_of, span_context_of
from maie_gateway.access.signing_keys import SigningKeys
from maie_gateway.access.token_callers import TokenCallers
from maie_gateway.access.token_settings import TokenSettings
from maie_gateway.egress.guard import UrlGuard
from maie_gateway.readmodel.query import parse_query
from maie_gateway.readmodel.tokens import page_key, page_token
from maie_gateway.records.journal import parse_entry
from maie_gateway.settings import GatewaySettings
from maie_preprocess import wire
from maie_preprocess.decoder import decode
from maie_preprocess.measure import NotANumberError
from maie_preprocess.normalize import RefusedError
from maie_preprocess.settings import PreprocessSettings
from maie_runtime.rpc.callers.socket_owner import End, owner_in, question
from maie_runtime.vault.data_key import DataKey, SealError
from maie_runtime.vault.key_file import keys_in, new_line
from maie_runtime.vault.sealed_blob import open_whole, sealed_whole
from maie_templates.template import Template
from maie_tls.authority import Authority, Issued, make_authority
from maie_tls.names import part_of
from maie_tls.pem import CertificateError, read_certificates, read_pair, uris_of
from tests.fuzz.mutations import original
from tests.gateway.access.issuer import AUDIENCE, ISSUER
from tests.gateway.access.test_tokens import call as bearer_call
from tests.preprocess.test_containers import KINDS

JOB = "01990000-0000-7000-8000-000000000001"
LIST = job.ListJobsRequest(labels={"a": "b"})
NOWHERE = End(address=IPv4Address("127.0.0.1"), port=1)
KEY = DataKey(JOB, bytes(32))
LIMITS = wire.Limits(
    min_seconds=1,
    max_seconds=60,
    max_channels=8,
    max_sample_rate=192_000,
    max_damaged_share=0.05,
    memory_bytes=1 << 30,
    cpu_seconds=60,
)


async def _no_keys() -> bytes:
    return b'{"keys": []}'


_TOKENS = TokenCallers(
    TokenSettings(issuer=ISSUER, audience=AUDIENCE, jwks_url="https://issuer.example/keys"),
    SigningKeys(_no_keys, 3600, 3600),
)


@dataclass(kw_only=True, frozen=True, slots=True)
class Target:
    """A parser.

    Attributes:
        run: Feeds it; raises where it has a defect.
        seeds: Good inputs, or nearly so.
    """

    run: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]] = lambda: [b""]


class DefectError(AssertionError):
    """A parser took what it must not take."""


def _tolerating(
    run: Callable[[bytes], object], *errors: type[Exception]
) -> Callable[[bytes], None]:
    def tolerate(data: bytes) -> None:
        with contextlib.suppress(*errors):
            run(data)

    return tolerate


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _unnamed(data: bytes) -> BinaryIO:
    """A file without a name, as the decoding process gets it: unlike one in memory, with a largest
    offset.
    """
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
    file.write(data)
    file.seek(0)
    return cast(BinaryIO, file)


def _probe(data: bytes) -> None:
    # What the decoding process turns into AUDIO_CORRUPT, as its `main` does.
    import av

    for mode in ("mix", "split"):
        choice = wire.Choice(channels=mode, track=0, all_tracks=False)
        try:
            with _unnamed(data) as source:
                decode(source, io.BytesIO(), LIMITS, choice)
        except (RefusedError, NotANumberError, av.error.FFmpegError, MemoryError):
            pass


def _live(encoding: Any) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        stated = Format(encoding=encoding, sample_rate=48_000, channels=1)
        decoder = TrackDecoder(stated, LiveLimits(sound_seconds=2.0, silence_seconds=2.0))
        middle = len(data) // 2
        decoder.decode(data[:middle])
        # Another process goes on with what is kept.
        TrackDecoder(stated, LiveLimits(), decoder.state()).decode(data[middle:])

    return _tolerating(run, LiveRefusedError)


def _key_text(data: bytes) -> None:
    found = parse_key(_text(data))
    if found is not None and found.text != _text(data):
        raise DefectError("another text is the same key")


def _trace(data: bytes) -> None:
    found = span_context_of(_text(data))
    if found is not None and not found.is_valid:
        raise DefectError("an invalid trace context is taken")
    context_of(_text(data))


def _token(data: bytes) -> None:
    header, _, rest = data.partition(b".")
    claims, _, signature = rest.partition(b".")
    parts = (base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, claims, signature))
    for text in (_text(data), b".".join(parts).decode()):
        try:
            asyncio.run(_TOKENS.caller_of(bearer_call(text)))
        except StageError as error:
            if error.code is not Code.UNAUTHENTICATED:
                raise
        else:
            if text.count(".") == 2:
                raise DefectError("a token that nobody signed is taken")


def _command_line(data: bytes) -> None:
    """Parses the arguments of a command, and runs none."""
    command: Any = typer.main.get_command(app)
    arguments = [part for part in _text(data).split("\0") if part not in ("--help", "--version")]
    name, parent = "maie", None
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        while True:
            context = command.make_context(name, list(arguments), parent=parent)
            if not hasattr(command, "commands"):
                return
            left = [*context._protected_args, *context.args]
            if not left:
                return
            name, command, arguments = command.resolve_command(context, left)
            parent = context


def _certificate(data: bytes) -> None:
    try:
        for each in read_certificates(data):
            part_of(uris_of(each))
        read_pair(data, data)
    except CertificateError:
        pass


def _san(data: bytes) -> None:
    """A certificate whose library reads it, with any subject alternative names."""
    try:
        made = x509.load_der_x509_certificate(data)
    except (ValueError, x509.InvalidVersion):
        return
    part_of(uris_of(made))


def _template(data: bytes) -> None:
    schema, _, rest = _text(data).partition("\0")
    prompt, _, examples = rest.partition("\0")
    Template.parse("mine", schema, prompt, examples)


def _messages(data: bytes) -> None:
    kinds = (event.StageTask, event.StageEvent, event.DeadLetter, session.SessionEntry)
    for kind in (*kinds, record.JobNames):
        with contextlib.suppress(DecodeError):
            kind.FromString(data)


def _settings(data: bytes) -> None:
    name, _, value = _text(data).partition("=")
    for kind in (GatewaySettings, PreprocessSettings):
        fields = sorted(kind.model_fields)
        field = name if name in fields else fields[sum(data) % len(fields)]
        with contextlib.suppress(ValidationError):
            kind.model_validate({field: value})


def _issued() -> Issued:
    lifetime = timedelta(days=1)
    made = make_authority(lifetime)
    authority = Authority(made.certificate, made.key)
    return authority.issue("asr", ["localhost"], lifetime)


def _certificates() -> list[bytes]:
    issued = _issued()
    return [issued.certificate, issued.certificate + issued.key]


def _ders() -> list[bytes]:
    made = x509.load_pem_x509_certificate(_issued().certificate)
    return [made.public_bytes(Encoding.DER)]


SCHEMA = (
    b'{"title":"T","description":"D","type":"object","properties":'
    b'{"a":{"type":"array","maxItems":2,"items":{"type":"string","maxLength":9}}},"required":["a"]}'
)
EXAMPLES = b'[{"transcript":["Who?"],"answer":{"a":["Who?"]},"lines":{"/a/0":[1]}}]'

TARGETS: dict[str, Target] = {
    "media probe": Target(
        run=_probe, seeds=lambda: [original(kind, 1.2) for kind in sorted(KINDS)]
    ),
    "live ogg": Target(run=_live("ogg_opus"), seeds=lambda: [original("ogg opus")]),
    "live webm": Target(run=_live("webm_opus"), seeds=lambda: [original("webm")]),
    "live flac": Target(run=_live("flac"), seeds=lambda: [original("flac")]),
    "live opus": Target(run=_live("opus"), seeds=lambda: [b"\xfc\xff\xfe", b"\x0b\x02" + bytes(9)]),
    "messages": Target(
        run=_messages,
        seeds=lambda: [event.StageTask(job_id=JOB, unit="asr.0001").SerializeToString()],
    ),
    "job record": Target(
        run=_tolerating(lambda data: parse_entry(JOB, data), StageError),
        seeds=lambda: [
            record.JobRecord(job_id=JOB, state=job.JOB_STATE_PENDING).SerializeToString()
        ],
    ),
    "api key": Target(run=_key_text, seeds=lambda: [new_key().text.encode()]),
    "json web token": Target(
        run=_token,
        seeds=lambda: [
            b'{"alg":"RS256","kid":"one","typ":"JWT"}.{"iss":"https://issuer.example"}.x',
            b'{"alg":"none"}.{"sub":"eve"}.',
        ],
    ),
    "command line": Target(
        run=_tolerating(_command_line, ClickException, typer.Exit, typer.Abort),
        seeds=lambda: [
            b"jobs\0list\0--tenant\0acme",
            b"process\0a.wav\0--feature\0summary\0--json",
            b"keys\0create\0--scope\0read\0--days\x0090",
            b"up\0--port-base\0" + b"0\0--profile\0tiny",
        ],
    ),
    "page token": Target(
        run=_tolerating(lambda data: page_key(_text(data), (int, str), "t", LIST), StageError),
        seeds=lambda: [page_token((1, "x"), "t", LIST).encode()],
    ),
    "search query": Target(
        run=_tolerating(lambda data: parse_query(_text(data)), StageError),
        seeds=lambda: [b'the "release notes" bud'],
    ),
    "trace context": Target(
        run=_trace, seeds=lambda: [b"00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-01"]
    ),
    "sock_diag answer": Target(
        run=_tolerating(lambda data: owner_in(data, NOWHERE, NOWHERE), OSError),
        seeds=lambda: [question(NOWHERE, NOWHERE) + bytes(40)],
    ),
    "certificate": Target(run=_certificate, seeds=_certificates),
    "names of a certificate": Target(run=_tolerating(_san, CertificateError), seeds=_ders),
    "template": Target(
        run=_tolerating(_template, StageError),
        seeds=lambda: [b"\0".join((SCHEMA, b"Read {{ transcript }}", EXAMPLES))],
    ),
    "address of a webhook or a recording": Target(
        run=_tolerating(lambda data: UrlGuard(_nobody).parse(_text(data)), StageError),
        seeds=lambda: [b"https://example.com:8443/a?b=c", b"http://[::ffff:127.0.0.1]/"],
    ),
    "sealed message": Target(
        run=_tolerating(KEY.open, SealError), seeds=lambda: [KEY.seal(b"message")]
    ),
    "sealed object": Target(
        run=_tolerating(lambda data: open_whole(KEY, data, 7), SealError),
        seeds=lambda: [sealed_whole(KEY, b"content")],
    ),
    "master key file": Target(
        run=_tolerating(lambda data: keys_in(_text(data)), ValueError),
        seeds=lambda: [new_line().encode()],
    ),
    "settings": Target(run=_settings, seeds=lambda: [b"listen=127.0.0.1:1", b"max_uploads=3"]),
    "names": Target(run=lambda data: is_harmless(_text(data)), seeds=lambda: [b"a\xe2\x80\xaeb"]),
}


async def _nobody(host: str, port: int) -> list[str]:
    raise OSError("no names are looked up here")
