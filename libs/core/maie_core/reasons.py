"""The registry of reasons, each with its code, its meaning and what to do.

The docstring beneath a reason is its documentation: the first sentence says what
happened, the rest what to do. docs/reasons.md is generated from it.
"""

from __future__ import annotations

import enum
from typing import Self

from maie_core.codes import Code


class Reason(enum.StrEnum):
    """Why a call or a job failed: `ErrorInfo.reason` and `Failure.reason`.

    Attributes:
        code: The canonical code that comes with the reason.
    """

    code: Code

    def __new__(cls, value: str, code: Code) -> Self:
        """Makes a member from its name and code."""
        reason = str.__new__(cls, value)
        reason._value_ = value
        reason.code = code
        return reason

    ADDRESS_INVALID = "ADDRESS_INVALID", Code.INVALID_ARGUMENT
    """The Python client cannot look up this gateway address. Write HOST:PORT, such as
    localhost:50051."""
    AUDIO_CORRUPT = "AUDIO_CORRUPT", Code.INVALID_ARGUMENT
    """The recording is damaged, or has an unsupported shape. Export it again."""
    AUDIO_EMPTY = "AUDIO_EMPTY", Code.INVALID_ARGUMENT
    """The recording holds no sound. Send a file with sound in it."""
    AUDIO_FORMAT_INVALID = "AUDIO_FORMAT_INVALID", Code.INVALID_ARGUMENT
    """The format of live audio is missing, not supported, or not what the audio is. Send one of the
    encodings, rates and channels that AudioFormat names."""
    AUDIO_HOURS_SPENT = "AUDIO_HOURS_SPENT", Code.RESOURCE_EXHAUSTED
    """The tenant has had as many hours of audio today as it may. Try again after the retry delay,
    which ends at midnight UTC, or ask the operator for more."""
    AUDIO_NOT_KEPT = "AUDIO_NOT_KEPT", Code.NOT_FOUND
    """The job is a live session whose audio was not kept. Ask for it with `keep_audio` when a
    session begins."""
    AUDIO_NOT_READY = "AUDIO_NOT_READY", Code.FAILED_PRECONDITION
    """The audio of a live session is put together after its end, and a summary is spoken when it is
    there; this one is not there yet. Ask again when the job is complete; retry a job that failed
    or was cancelled."""
    AUDIO_PART_INVALID = "AUDIO_PART_INVALID", Code.INVALID_ARGUMENT
    """A message with live audio is empty, too long, ends within a sample, or cannot be decoded.
    Send whole samples, or the bytes as the encoder wrote them, best 20 to 200 ms in one message."""
    AUDIO_SEQUENCE_GAP = "AUDIO_SEQUENCE_GAP", Code.INVALID_ARGUMENT
    """A message of a live track is missing: its sequence is not the next one. Resume the session
    and send again what is not acknowledged, or send silence in place of what is lost."""
    AUDIO_TOO_LARGE = "AUDIO_TOO_LARGE", Code.INVALID_ARGUMENT
    """The audio inside a direct request to a stage is too large. Submit the recording as a job, or
    store it and name the stored object."""
    AUDIO_TOO_LONG = "AUDIO_TOO_LONG", Code.INVALID_ARGUMENT
    """The recording is longer than the service allows, or a live session whose audio is kept lasts
    too long. Cut the recording into parts and submit each, or begin a new session."""
    AUDIO_TOO_SHORT = "AUDIO_TOO_SHORT", Code.INVALID_ARGUMENT
    """The recording is shorter than the service allows. Submit a longer one."""
    AUDIT_UNAVAILABLE = "AUDIT_UNAVAILABLE", Code.UNAVAILABLE
    """The call could not be entered in the audit log, so it has no answer; it may have had its
    effect. Look, and make it again."""
    BLOB_CORRUPT = "BLOB_CORRUPT", Code.DATA_LOSS
    """The content of a stored object has changed. Submit the recording again and check the object
    store."""
    BLOB_KEY_INVALID = "BLOB_KEY_INVALID", Code.INVALID_ARGUMENT
    """The key of a stored object is invalid. Name the object as it was stored."""
    BLOB_MISSING = "BLOB_MISSING", Code.DATA_LOSS
    """An object that a job needs is gone from the object store. Submit the recording again and
    check what removes objects."""
    BLOB_NOT_FOUND = "BLOB_NOT_FOUND", Code.NOT_FOUND
    """A direct request to a stage names an object that is not stored. Store it, or send the content
    itself."""
    BLOB_OF_ANOTHER_KIND = "BLOB_OF_ANOTHER_KIND", Code.INVALID_ARGUMENT
    """A stored object has another message type than the request needs. Run services of one version,
    or name the right object."""
    BLOB_STORE_FULL = "BLOB_STORE_FULL", Code.UNAVAILABLE
    """The object store has no space left. Free some of it and try again."""
    BLOB_STORE_UNAVAILABLE = "BLOB_STORE_UNAVAILABLE", Code.UNAVAILABLE
    """The object store does not answer. Check MAIE_BLOB_URL and the store itself."""
    BROKER_CREDENTIALS_INVALID = "BROKER_CREDENTIALS_INVALID", Code.FAILED_PRECONDITION
    """A file with the credentials for NATS cannot be used. Make it with `maie nats config`, and
    correct the setting that names it."""
    BROKER_REFUSED = "BROKER_REFUSED", Code.FAILED_PRECONDITION
    """NATS does not allow this part what it needs: it has no credentials, those of another part, or
    NATS has the configuration of another release. Make it again with `maie nats config`."""
    BROKER_UNAVAILABLE = "BROKER_UNAVAILABLE", Code.UNAVAILABLE
    """NATS does not answer. Try again after the retry delay; if it lasts, check NATS."""
    BUSY = "BUSY", Code.RESOURCE_EXHAUSTED
    """The stage has no room for this request now. Try again after the retry delay."""
    CALLER_STALLED = "CALLER_STALLED", Code.DEADLINE_EXCEEDED
    """The responses of a call were not read for too long, and the call ended. Call again, and read
    them as they come."""
    CERTIFICATE_INVALID = "CERTIFICATE_INVALID", Code.FAILED_PRECONDITION
    """A file with a certificate, its key or a CA is missing or cannot be used. Name other files, or
    make them with `maie certs`."""
    CHUNK_DURATION_INVALID = "CHUNK_DURATION_INVALID", Code.INVALID_ARGUMENT
    """The chunk duration is out of its range. Ask for 5 s to 30 min, or leave it unset."""
    CHUNK_INVALID = "CHUNK_INVALID", Code.INVALID_ARGUMENT
    """The chunk of a direct request to the ASR service has a negative index, or speech that is not
    in order. Send a chunk as the preprocess service gave it."""
    CHUNK_MISSING = "CHUNK_MISSING", Code.DATA_LOSS
    """The stored plan of a job has fewer chunks than its preprocess reported. Submit the recording
    again."""
    COMPUTE_TYPE_NOT_SUPPORTED = "COMPUTE_TYPE_NOT_SUPPORTED", Code.FAILED_PRECONDITION
    """The device cannot compute in the configured type. Set MAIE_ASR_WHISPER_COMPUTE_TYPE to one
    that the message names."""
    CONFIG_MISSING = "CONFIG_MISSING", Code.INVALID_ARGUMENT
    """An upload did not begin with the config. Send the config before any audio."""
    CONSENT_MISSING = "CONSENT_MISSING", Code.INVALID_ARGUMENT
    """A voice is to be enrolled without the consent of the person. Send who agreed to what, and
    when."""
    CONTENT_REFUSED = "CONTENT_REFUSED", Code.INVALID_ARGUMENT
    """The language model's server refuses to answer the text. Use another model."""
    CREDENTIALS_INVALID = "CREDENTIALS_INVALID", Code.UNAUTHENTICATED
    """The API key or the token of the call is unknown, expired, revoked or damaged. Use another
    one; docs/access.md says how to get it."""
    CREDENTIALS_MISSING = "CREDENTIALS_MISSING", Code.UNAUTHENTICATED
    """The server does not know who calls. Send an API key or a token, as docs/access.md says."""
    DATA_KEY_GONE = "DATA_KEY_GONE", Code.NOT_FOUND
    """The data of a job was encrypted, and its key is destroyed, since the job was deleted. Nothing
    can read it again; submit the recording again."""
    DATA_KEY_NOT_CONFIGURED = "DATA_KEY_NOT_CONFIGURED", Code.FAILED_PRECONDITION
    """The data of a job is encrypted, and the gateway has no master key. Set
    MAIE_GATEWAY_MASTER_KEY to what it was when the job was made."""
    DATA_KEY_UNAVAILABLE = "DATA_KEY_UNAVAILABLE", Code.UNAVAILABLE
    """The key of a job's encrypted data cannot be had now. Try again after the retry delay; if it
    lasts, check the gateways and the broker."""
    DEAD_LETTER_NOT_FOUND = "DEAD_LETTER_NOT_FOUND", Code.NOT_FOUND
    """There is no dead letter with this id, or its unit was retried since. List the dead letters
    again."""
    DECODER_DIED = "DECODER_DIED", Code.UNAVAILABLE
    """The speech decoder's process ended unexpectedly and was replaced. Try again."""
    DECODER_FAILED = "DECODER_FAILED", Code.INTERNAL
    """A process that decodes audio failed. Try again; the service's log has the details."""
    DELIVERY_FAILED = "DELIVERY_FAILED", Code.INTERNAL
    """The gateway could not send a webhook. Its log has the details."""
    DEVICE_UNAVAILABLE = "DEVICE_UNAVAILABLE", Code.FAILED_PRECONDITION
    """The configured device does not exist. Correct the engine's DEVICE or DEVICE_INDEX."""
    DIGEST_MISSING = "DIGEST_MISSING", Code.NOT_FOUND
    """The job was not asked to speak its summary, or there was nothing to speak. Submit the
    recording with the features `summary` and `digest`, or speak the summary with
    `maie speak --job`."""
    DISPLAY_NAME_INVALID = "DISPLAY_NAME_INVALID", Code.INVALID_ARGUMENT
    """The display name is too long or has control characters. Send one short line."""
    EDIT_INVALID = "EDIT_INVALID", Code.INVALID_ARGUMENT
    """A correction of a transcript names segments that the base revision lacks or that do not
    follow each other, or its text or times are not allowed. Correct the edit that the field names.
    """
    ENGINE_FAILED = "ENGINE_FAILED", Code.INTERNAL
    """The engine failed with an unexpected error. The worker's log has the details."""
    ENGINE_NOT_FOUND = "ENGINE_NOT_FOUND", Code.FAILED_PRECONDITION
    """No installed engine has the configured name. Set the service's ENGINE to one that the message
    names, or install the engine."""
    ENGINE_NOT_INSTALLED = "ENGINE_NOT_INSTALLED", Code.FAILED_PRECONDITION
    """The engine needs packages that are not installed. Install them as docs/models.md says."""
    ENHANCEMENT_UNAVAILABLE = "ENHANCEMENT_UNAVAILABLE", Code.UNAVAILABLE
    """No enhancement worker answers a gateway that refines live speech. Check the enhancement
    services."""
    FAULT_INJECTED = "FAULT_INJECTED", Code.UNAVAILABLE
    """A test asked for this failure with MAIE_FAULT. Unset the variable."""
    FEATURE_UNKNOWN = "FEATURE_UNKNOWN", Code.INVALID_ARGUMENT
    """There is no such feature. Choose from those that the message names."""
    FETCH_FORBIDDEN = "FETCH_FORBIDDEN", Code.FAILED_PRECONDITION
    """The server of a recording's URL wants to know who asks. Give a URL that is signed, or upload
    the recording."""
    FETCH_INCOMPLETE = "FETCH_INCOMPLETE", Code.ABORTED
    """The server of a recording's URL broke off in the middle. Try again, or upload the
    recording."""
    FETCH_NOT_FOUND = "FETCH_NOT_FOUND", Code.FAILED_PRECONDITION
    """There is nothing at a recording's URL. Correct it."""
    FETCH_OFF = "FETCH_OFF", Code.UNIMPLEMENTED
    """This gateway fetches no recordings. Upload it, or set MAIE_FETCH_ENABLED."""
    FETCH_REFUSED = "FETCH_REFUSED", Code.FAILED_PRECONDITION
    """The server of a recording's URL does not give a file: it answers otherwise, compresses it, or
    redirects without end. Give the URL of the file itself."""
    FETCH_TOO_SLOW = "FETCH_TOO_SLOW", Code.ABORTED
    """The server of a recording's URL does not answer in time, or sends too slowly. Try again, or
    upload the recording."""
    FETCH_UNAVAILABLE = "FETCH_UNAVAILABLE", Code.ABORTED
    """The server of a recording's URL cannot be reached, or has a fault or too much to do. Try
    again later, or upload the recording."""
    FIELD_INVALID = "FIELD_INVALID", Code.INVALID_ARGUMENT
    """A field has an invalid value. Correct the field that the error names."""
    FILENAME_INVALID = "FILENAME_INVALID", Code.INVALID_ARGUMENT
    """The file name is too long or has control characters. Send another name for it."""
    GATEWAY_DRAINING = "GATEWAY_DRAINING", Code.UNAVAILABLE
    """The gateway shuts down while the job goes on. Watch the job again."""
    GATEWAY_UNREACHABLE = "GATEWAY_UNREACHABLE", Code.UNAVAILABLE
    """The Python client reached no gateway. Check that it runs and that the address is right."""
    GPU_LOST = "GPU_LOST", Code.UNAVAILABLE
    """The worker lost its lease on a shared GPU. Try again."""
    GPU_NOT_SHAREABLE = "GPU_NOT_SHAREABLE", Code.FAILED_PRECONDITION
    """The engine cannot unload its model, so it cannot share a GPU. Set the service's RESIDENCY to
    resident."""
    HOTWORDS_INVALID = "HOTWORDS_INVALID", Code.INVALID_ARGUMENT
    """There are too many hotwords, or one is too long or has control characters. Correct them."""
    INTERNAL = "INTERNAL", Code.INTERNAL
    """Something went wrong inside the service. Its log has the details."""
    JOB_ID_INVALID = "JOB_ID_INVALID", Code.INVALID_ARGUMENT
    """The job id is invalid. Send it as it was returned; `maie jobs list` shows the ids."""
    JOB_NOT_FOUND = "JOB_NOT_FOUND", Code.NOT_FOUND
    """There is no job with this id, or it belongs to another tenant. `maie jobs list` shows the
    jobs."""
    JOB_NOT_RETRYABLE = "JOB_NOT_RETRYABLE", Code.FAILED_PRECONDITION
    """The job is complete or still running, or its record has no room for a retry. Submit the
    recording again."""
    KEYS_FULL = "KEYS_FULL", Code.FAILED_PRECONDITION
    """The mesh has as many API keys as it may. Revoke those that nobody uses; they make room after
    30 days."""
    KEY_NOT_FOUND = "KEY_NOT_FOUND", Code.NOT_FOUND
    """There is no API key with this id that works. `maie keys list` shows the keys."""
    LABELS_INVALID = "LABELS_INVALID", Code.INVALID_ARGUMENT
    """There are too many labels, or a key or a value cannot be used. Correct them as the message
    says."""
    LANE_UNKNOWN = "LANE_UNKNOWN", Code.INVALID_ARGUMENT
    """There is no such lane. Choose LANE_INTERACTIVE or LANE_BATCH."""
    LANGUAGE_INVALID = "LANGUAGE_INVALID", Code.INVALID_ARGUMENT
    """The language code is no BCP 47 tag. Send one such as en-GB, or none."""
    LANGUAGE_NOT_SUPPORTED = "LANGUAGE_NOT_SUPPORTED", Code.INVALID_ARGUMENT
    """The ASR engine cannot transcribe this language. Choose one that the message names."""
    LIMITS_OUTDATED = "LIMITS_OUTDATED", Code.ABORTED
    """Somebody changed the limits of the tenant meanwhile. List them, and set them again."""
    LIVE_BUSY = "LIVE_BUSY", Code.RESOURCE_EXHAUSTED
    """No replica can take another live track in time. Try again after the retry delay, or start
    more replicas."""
    LIVE_OFF = "LIVE_OFF", Code.UNIMPLEMENTED
    """This service does not take live speech. Set MAIE_ASR_LIVE_TRACKS or
    MAIE_DIARIZATION_LIVE_TRACKS above 0."""
    LIVE_UNAVAILABLE = "LIVE_UNAVAILABLE", Code.UNAVAILABLE
    """No ASR replica for live speech answers. Resume the session after the retry delay; if it
    lasts, check the ASR services."""
    LOGIN_FAILED = "LOGIN_FAILED", Code.UNAUTHENTICATED
    """A login at the OpenID Connect provider was refused, has ended or cannot be trusted. Log in
    again; the sentence says what is wrong."""
    LOGIN_UNAVAILABLE = "LOGIN_UNAVAILABLE", Code.UNAVAILABLE
    """The OpenID Connect provider of logins does not answer. Try again, and check
    MAIE_WEB_OIDC_ISSUER."""
    MASTER_KEY_DENIED = "MASTER_KEY_DENIED", Code.FAILED_PRECONDITION
    """The key service does not let the gateway use the master key. Give the gateway credentials
    that may describe the key, encrypt and decrypt with it."""
    MASTER_KEY_DISABLED = "MASTER_KEY_DISABLED", Code.FAILED_PRECONDITION
    """The master key is disabled in its key service, or is to be deleted there. Enable it again;
    without it all encrypted jobs are lost."""
    MASTER_KEY_INVALID = "MASTER_KEY_INVALID", Code.FAILED_PRECONDITION
    """The master key that encrypts jobs' data cannot be used, or is not the one that the jobs were
    made with. Set MAIE_GATEWAY_MASTER_KEY to what it was, or correct its file."""
    MASTER_KEY_UNAVAILABLE = "MASTER_KEY_UNAVAILABLE", Code.UNAVAILABLE
    """The key service that has the master key does not answer. Try again after the retry delay; if
    it lasts, check the service, and the address in MAIE_GATEWAY_MASTER_KEY."""
    MODEL_ACCESS_DENIED = "MODEL_ACCESS_DENIED", Code.FAILED_PRECONDITION
    """The language model's server denies access. Check the service's API key and its rights."""
    MODEL_ANSWER_INVALID = "MODEL_ANSWER_INVALID", Code.INTERNAL
    """A model, or the server that runs it, gave what cannot be a result. Check that the model is
    the one that the settings describe; its server's log may say more."""
    MODEL_CORRUPT = "MODEL_CORRUPT", Code.FAILED_PRECONDITION
    """A model's files are not the expected ones. Fetch or install the model again."""
    MODEL_LOADING = "MODEL_LOADING", Code.UNAVAILABLE
    """The service still loads its model. Try again after the retry delay."""
    MODEL_MISSING = "MODEL_MISSING", Code.FAILED_PRECONDITION
    """The configured model is missing. Fetch it with `maie models pull`, or correct the
    setting."""
    MODEL_NOT_LOADED = "MODEL_NOT_LOADED", Code.UNAVAILABLE
    """The worker could not load its model into the shared GPU. Its log has the details."""
    MODEL_REQUEST_REFUSED = "MODEL_REQUEST_REFUSED", Code.FAILED_PRECONDITION
    """The language model's server refuses the request. Its own log says why."""
    MODEL_SETTINGS_INVALID = "MODEL_SETTINGS_INVALID", Code.FAILED_PRECONDITION
    """A setting of an engine does not fit its model. Correct the setting that the message names."""
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE", Code.UNAVAILABLE
    """The language model or its server does not answer. Try again later."""
    MODEL_UNKNOWN = "MODEL_UNKNOWN", Code.NOT_FOUND
    """The catalogue of `maie models pull` has no such model. Name one that the message names."""
    MODEL_UNSAFE = "MODEL_UNSAFE", Code.FAILED_PRECONDITION
    """A model's file could run code when it is loaded. Convert it as docs/models.md says."""
    MODEL_WINDOW_INVALID = "MODEL_WINDOW_INVALID", Code.FAILED_PRECONDITION
    """The language model's server does not report its window. Set the service's WINDOW."""
    NOT_A_GATEWAY = "NOT_A_GATEWAY", Code.UNIMPLEMENTED
    """The Python client reached a server that is no gateway of this version. Name the gateway's
    address."""
    NO_SLOT = "NO_SLOT", Code.RESOURCE_EXHAUSTED
    """All slots of the worker are taken, and as many calls wait for one as may. Try again after the
    retry delay, or start more workers."""
    OPTIONAL_UNIT_LATE = "OPTIONAL_UNIT_LATE", Code.DEADLINE_EXCEEDED
    """The rest of the job was done, and what nobody asked for was not within
    MAIE_GATEWAY_OPTIONAL_GRACE_SECONDS, so the job is complete without. Start more workers of the
    service that the message names, or ask for the feature, whose jobs wait for it."""
    OPTION_NOT_SUPPORTED = "OPTION_NOT_SUPPORTED", Code.INVALID_ARGUMENT
    """The engine does not support an option. Leave the option unset, or configure another
    engine."""
    OPTION_OUT_OF_RANGE = "OPTION_OUT_OF_RANGE", Code.INVALID_ARGUMENT
    """An option is out of range. Correct the field that the error names."""
    ORIGIN_REFUSED = "ORIGIN_REFUSED", Code.PERMISSION_DENIED
    """A page of another site made a browser send this HTTP request. Open the console at its own
    address, or send an API key."""
    OUT_OF_MEMORY = "OUT_OF_MEMORY", Code.RESOURCE_EXHAUSTED
    """The worker or its GPU ran out of memory. Use shorter chunks, a smaller model or a larger
    worker."""
    PAGE_SIZE_INVALID = "PAGE_SIZE_INVALID", Code.INVALID_ARGUMENT
    """The page size is negative. Send 0 or more."""
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID", Code.INVALID_ARGUMENT
    """The page token does not belong to this request. Ask for the first page without a token."""
    PARTS_MISMATCH = "PARTS_MISMATCH", Code.FAILED_PRECONDITION
    """Another engine made a part of the summary, from a transcript that is not known. Make the part
    again with this engine."""
    PIPELINE_UNKNOWN = "PIPELINE_UNKNOWN", Code.FAILED_PRECONDITION
    """A later release accepted the job into a pipeline that this gateway does not know. Upgrade the
    gateway."""
    PROMPT_TOO_LONG = "PROMPT_TOO_LONG", Code.INVALID_ARGUMENT
    """The prompt does not fit the language model's window. Ask for less at once, or use a model
    with a longer window."""
    QUERY_INVALID = "QUERY_INVALID", Code.INVALID_ARGUMENT
    """The search query is invalid. Correct it as the message says."""
    QUERY_TOO_SLOW = "QUERY_TOO_SLOW", Code.DEADLINE_EXCEEDED
    """The list or search took too long. Ask for fewer words, labels or states, or a smaller
    page."""
    QUEUE_FULL = "QUEUE_FULL", Code.RESOURCE_EXHAUSTED
    """The mesh has as many unfinished jobs as it may. Try again after the retry delay."""
    RATE_LIMITED = "RATE_LIMITED", Code.RESOURCE_EXHAUSTED
    """Calls come faster than the key, the tenant or the address may make them; the error's metadata
    names the limit. Try again after the retry delay, and call less often."""
    READING_TEXT_INVALID = "READING_TEXT_INVALID", Code.INVALID_ARGUMENT
    """The text that a recording is compared with is missing, has no word, or is too long. Send the
    text that should have been read."""
    READ_MODEL_DRIVER_MISSING = "READ_MODEL_DRIVER_MISSING", Code.FAILED_PRECONDITION
    """The driver of the read model's database is not installed. Install
    maie-gateway[postgresql]."""
    READ_MODEL_UNAVAILABLE = "READ_MODEL_UNAVAILABLE", Code.UNAVAILABLE
    """The database of lists and search does not answer, while jobs go on. Try again after the retry
    delay."""
    RECEIVER_DOWN = "RECEIVER_DOWN", Code.UNAVAILABLE
    """A webhook's receiver failed too often in a row. Repair it and replay the dead letter."""
    RECEIVER_STATUS = "RECEIVER_STATUS", Code.UNAVAILABLE
    """A webhook's receiver answered with the HTTP status that the message names. Answer 2xx and
    replay the dead letter."""
    RECEIVER_TIMEOUT = "RECEIVER_TIMEOUT", Code.UNAVAILABLE
    """A webhook's receiver did not answer in time. Answer sooner and replay the dead letter."""
    RECEIVER_UNREACHABLE = "RECEIVER_UNREACHABLE", Code.UNAVAILABLE
    """A webhook's receiver cannot be reached. Check that it is up and replay the dead letter."""
    RECORD_CORRUPT = "RECORD_CORRUPT", Code.DATA_LOSS
    """The job's record cannot be read. Submit the recording again and look for another program that
    writes to NATS."""
    REFERENCE_VOICE_INVALID = "REFERENCE_VOICE_INVALID", Code.FAILED_PRECONDITION
    """A reference recording of the speech engine chatterbox is missing or cannot be used. Put a WAV
    or FLAC file of 5 to 30 s of each voice into the folder that the setting names."""
    REQUEST_CANCELLED = "REQUEST_CANCELLED", Code.FAILED_PRECONDITION
    """The job that an HTTP request waits for was cancelled. Send the recording again."""
    REQUEST_ID_INVALID = "REQUEST_ID_INVALID", Code.INVALID_ARGUMENT
    """The request id is too long or has control characters. Send a UUID."""
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED", Code.ALREADY_EXISTS
    """The request id belongs to a job with another recording or config. Use a new id for each
    submit."""
    REQUEST_LATE = "REQUEST_LATE", Code.DEADLINE_EXCEEDED
    """The request of a call did not come in time. Send it again."""
    REQUEST_TOO_LARGE = "REQUEST_TOO_LARGE", Code.INVALID_ARGUMENT
    """The request is larger than the service reads. Ask for less at a time."""
    REQUEST_UNREADABLE = "REQUEST_UNREADABLE", Code.INVALID_ARGUMENT
    """The request is not the message that the method takes. Make the client from the same version
    of the contract."""
    RESULTS_MISSING = "RESULTS_MISSING", Code.FAILED_PRECONDITION
    """The job ended without results of this kind: it failed before, or was not asked for them. The
    sentence says which; retry a job that failed, or ask for another format."""
    RESULTS_NOT_READY = "RESULTS_NOT_READY", Code.FAILED_PRECONDITION
    """The job runs, and its results are downloaded when it has ended. Follow it, then ask again."""
    RESUME_TOKEN_INVALID = "RESUME_TOKEN_INVALID", Code.PERMISSION_DENIED
    """The resume token is not that of the session. Send the token that `started` gave."""
    REVISIONS_FULL = "REVISIONS_FULL", Code.FAILED_PRECONDITION
    """The transcript has as many saved revisions as it may have, or its job's record has no room
    for another. Nothing is lost; collect corrections, and save fewer times."""
    REVISION_NOT_FOUND = "REVISION_NOT_FOUND", Code.NOT_FOUND
    """The transcript has no such revision. List those there are."""
    REVISION_OUTDATED = "REVISION_OUTDATED", Code.ABORTED
    """Somebody saved a newer revision of the transcript meanwhile; the message has its number. Get
    that one, correct it, and save again."""
    ROUTE_NOT_FOUND = "ROUTE_NOT_FOUND", Code.NOT_FOUND
    """There is nothing at this HTTP address, or it does not take this method. /docs lists what
    there is."""
    SCHEMA_NOT_SUPPORTED = "SCHEMA_NOT_SUPPORTED", Code.INVALID_ARGUMENT
    """The language model's server does not support the template's schema. Change the schema as the
    message says."""
    SCOPE_MISSING = "SCOPE_MISSING", Code.PERMISSION_DENIED
    """The credentials of the call do not have the scope that the RPC needs. Use credentials that
    have it."""
    SESSIONS_FULL = "SESSIONS_FULL", Code.RESOURCE_EXHAUSTED
    """There are as many live sessions as the gateway or the tenant may have. End one, or try again
    after the retry delay."""
    SESSION_ENDED = "SESSION_ENDED", Code.FAILED_PRECONDITION
    """The live session has ended. Its transcript is in the job of the same id; begin a new
    session."""
    SESSION_IDLE = "SESSION_IDLE", Code.DEADLINE_EXCEEDED
    """Nothing was received on a live call for too long, or no audio for longer still. Send
    keep_alive while there is no audio, and resume the session when there is some."""
    SESSION_NOT_FOUND = "SESSION_NOT_FOUND", Code.NOT_FOUND
    """There is no such live session. Check its id and its tenant."""
    SESSION_TAKEN_OVER = "SESSION_TAKEN_OVER", Code.ABORTED
    """Another call goes on with the live session. If that is not meant, use a session of your
    own."""
    SHARES_FULL = "SHARES_FULL", Code.FAILED_PRECONDITION
    """The job or its tenant has as many shares as it may. Revoke those that nobody needs, or wait
    until one ends."""
    SHARES_OFF = "SHARES_OFF", Code.PERMISSION_DENIED
    """Nobody may share recordings of this mesh. Ask its operator (MAIE_GATEWAY_SHARE_MAX_PER_JOB).
    """
    SHARE_NOT_FOUND = "SHARE_NOT_FOUND", Code.NOT_FOUND
    """The job has no share with this id that works. `maie share list` shows the shares."""
    SOURCE_MISSING = "SOURCE_MISSING", Code.INVALID_ARGUMENT
    """A direct request to a stage names nothing to work on. Set the field that the message
    names."""
    SOURCE_UNREACHABLE = "SOURCE_UNREACHABLE", Code.UNAVAILABLE
    """`maie models pull` reaches no source of the model. Connect the machine, or bring the files in
    a folder and name it with --from."""
    SPEAKER_NAMES_INVALID = "SPEAKER_NAMES_INVALID", Code.INVALID_ARGUMENT
    """A name is too long or has control characters, there are too many, or a speaker is not named
    as in the results, such as S1. Correct them as the message says."""
    SPEECH_UNAVAILABLE = "SPEECH_UNAVAILABLE", Code.UNAVAILABLE
    """No speech service answers. Try again after the retry delay, or check that one runs."""
    SPEECH_VOICE_UNKNOWN = "SPEECH_VOICE_UNKNOWN", Code.INVALID_ARGUMENT
    """No speech service has a voice of this name. Choose one of those that the error or
    `maie speak --voices` lists."""
    STAGE_UNKNOWN = "STAGE_UNKNOWN", Code.FAILED_PRECONDITION
    """A later release gave the job a unit that this gateway does not know. Upgrade the gateway."""
    STAGE_WITHOUT_RESULT = "STAGE_WITHOUT_RESULT", Code.INTERNAL
    """A stage ended without a result. Report it to whoever wrote the stage."""
    STALLED = "STALLED", Code.DEADLINE_EXCEEDED
    """The engine made no progress for too long. The worker's log may say why."""
    STREAMS_FULL = "STREAMS_FULL", Code.RESOURCE_EXHAUSTED
    """The key, the tenant or the address has as many streams, watches of jobs or watches of health
    as it may; the error's metadata names the limit. End one, or try again after the retry delay."""
    STREAM_DIFFERS = "STREAM_DIFFERS", Code.FAILED_PRECONDITION
    """A stream of the broker is not as this release needs it. Change or remove the stream that the
    message names, or give the mesh an account of NATS of its own."""
    STREAM_ENDED = "STREAM_ENDED", Code.UNAVAILABLE
    """The gateway ended a stream before the job or the live session was finished. Watch the job, or
    resume the session, to go on."""
    STREAM_INCOMPLETE = "STREAM_INCOMPLETE", Code.INVALID_ARGUMENT
    """The messages of a live call ended without `end`: its connection broke, or its client went or
    closed its side too early. Resume the session to go on."""
    STREAM_OUT_OF_ORDER = "STREAM_OUT_OF_ORDER", Code.INVALID_ARGUMENT
    """The messages of a live call are out of order. Send the start first and once, and nothing
    after the end."""
    SUMMARIES_FULL = "SUMMARIES_FULL", Code.FAILED_PRECONDITION
    """The job's transcript has been summarised again as often as it may be, or its record has no
    room for another time. Submit the recording again."""
    SUMMARY_INVALID = "SUMMARY_INVALID", Code.INTERNAL
    """The engine's summary does not fit the template. Use another template, model or engine."""
    SUMMARY_NOT_REQUESTED = "SUMMARY_NOT_REQUESTED", Code.INVALID_ARGUMENT
    """The live session makes no summary: its config asks for none, or its end left it out. Do not
    wait for it, or begin a session whose features name it."""
    TEMPLATES_FULL = "TEMPLATES_FULL", Code.FAILED_PRECONDITION
    """The tenant has as many templates of its own as it may have, or the template has as many
    versions. Delete templates that nobody needs, or save under another id."""
    TEMPLATES_MISSING = "TEMPLATES_MISSING", Code.FAILED_PRECONDITION
    """The folder of templates does not exist. Create it, or correct MAIE_TEMPLATES_DIRECTORY."""
    TEMPLATE_CORRUPT = "TEMPLATE_CORRUPT", Code.DATA_LOSS
    """A stored template of a tenant cannot be read. Save it under another id, and look for another
    program that writes to NATS."""
    TEMPLATE_NOT_FOUND = "TEMPLATE_NOT_FOUND", Code.NOT_FOUND
    """There is no template with this id. Choose one that ListTemplates shows."""
    TEMPLATE_OUTDATED = "TEMPLATE_OUTDATED", Code.ABORTED
    """Somebody saved or deleted the template meanwhile; the message has its newest version. Get
    that one, change it, and save again."""
    TEMPLATE_REJECTED = "TEMPLATE_REJECTED", Code.INVALID_ARGUMENT
    """A template is invalid. Correct it as the message says."""
    TEMPLATE_REQUIRED = "TEMPLATE_REQUIRED", Code.INVALID_ARGUMENT
    """A summary needs a template. Set template_id; ListTemplates shows the ids."""
    TEMPLATE_SHIPPED = "TEMPLATE_SHIPPED", Code.FAILED_PRECONDITION
    """The template comes with the deployment, so that a tenant can neither change nor delete it.
    Save yours under another id."""
    TEMPLATE_VERSION_NOT_FOUND = "TEMPLATE_VERSION_NOT_FOUND", Code.NOT_FOUND
    """The template has no such version. List those there are."""
    TENANT_INVALID = "TENANT_INVALID", Code.INVALID_ARGUMENT
    """The tenant's name is invalid. Send one name of up to 32 characters of a-z, 0-9 and -."""
    TENANT_NOT_ALLOWED = "TENANT_NOT_ALLOWED", Code.PERMISSION_DENIED
    """The call names another tenant than that of its credentials. Name none, or use credentials of
    that tenant."""
    TENANT_QUOTA = "TENANT_QUOTA", Code.RESOURCE_EXHAUSTED
    """The tenant has as many unfinished jobs as it may. Try again after the retry delay."""
    TEXT_NOT_SPEAKABLE = "TEXT_NOT_SPEAKABLE", Code.INVALID_ARGUMENT
    """There is nothing in the text that the voice can speak. Send English words or numbers."""
    TEXT_TOO_LONG = "TEXT_TOO_LONG", Code.INVALID_ARGUMENT
    """The text is longer than a call may speak. Send it in several calls."""
    TLS_FAILED = "TLS_FAILED", Code.UNAVAILABLE
    """The Python client and the server do not come to a TLS connection. The message says what is
    wrong: the certificate's name, its CA or its dates, or that the server takes no TLS."""
    TLS_REQUIRED = "TLS_REQUIRED", Code.FAILED_PRECONDITION
    """A gateway or a service would listen where other machines reach it, without TLS. Make
    certificates with `maie certs` and name them in MAIE_TLS_CERT_FILE, MAIE_TLS_KEY_FILE and
    MAIE_TLS_CA_FILE, or listen on 127.0.0.1."""
    TOKEN_KEYS_UNAVAILABLE = "TOKEN_KEYS_UNAVAILABLE", Code.UNAVAILABLE
    """A token cannot be checked, since its issuer does not say by which keys. Try again after the
    retry delay; if it lasts, check MAIE_JWT_JWKS_URL."""
    TOKEN_UNPROTECTED = "TOKEN_UNPROTECTED", Code.FAILED_PRECONDITION
    """The Python client sends an API key or token over TLS or within one machine only. Write
    https:// before the address."""
    TOO_MANY_CHUNKS = "TOO_MANY_CHUNKS", Code.INVALID_ARGUMENT
    """The recording was cut into more chunks than a job may have. Ask for a longer
    chunk_duration."""
    TOO_MANY_READS = "TOO_MANY_READS", Code.RESOURCE_EXHAUSTED
    """Too many lists and searches of the tenant are waiting. Try again after the retry delay."""
    TRACKS_FULL = "TRACKS_FULL", Code.FAILED_PRECONDITION
    """The live session has as many tracks as it may have. End one with leave."""
    TRACK_INVALID = "TRACK_INVALID", Code.INVALID_ARGUMENT
    """The name of a live track is too long or has control characters, or its join came after its
    first audio. Name it in at most 64 characters, before its audio."""
    TRACK_NOT_FOUND = "TRACK_NOT_FOUND", Code.INVALID_ARGUMENT
    """The recording has no such audio track. Choose one that the message names."""
    TRANSCRIPT_NOT_READY = "TRANSCRIPT_NOT_READY", Code.FAILED_PRECONDITION
    """The job runs, or some of its text is missing, so that the transcript may still change. Wait
    for its end, or retry the job, then correct the transcript."""
    UNIT_DEADLINE = "UNIT_DEADLINE", Code.DEADLINE_EXCEEDED
    """A unit took longer than its deadline. Use shorter chunks, or raise the service's
    UNIT_DEADLINE_SECONDS."""
    UNREADABLE = "UNREADABLE", Code.DATA_LOSS
    """A message in NATS is not what the contract says. Look for another program that writes to
    NATS."""
    UNSUPPORTED_FORMAT = "UNSUPPORTED_FORMAT", Code.INVALID_ARGUMENT
    """The file's format is not supported. Export it as WAV, FLAC, MP3 or M4A."""
    UPLOADS_FULL = "UPLOADS_FULL", Code.RESOURCE_EXHAUSTED
    """Too many recordings are being uploaded already. Try again after the retry delay."""
    UPLOAD_CHECKSUM_WRONG = "UPLOAD_CHECKSUM_WRONG", Code.ABORTED
    """The bytes that came over HTTP are not those of their checksum, and none of them was kept.
    Send them again."""
    UPLOAD_EXPIRED = "UPLOAD_EXPIRED", Code.FAILED_PRECONDITION
    """A resumable upload had no bytes for too long, and is removed. Begin another one."""
    UPLOAD_FINISHED = "UPLOAD_FINISHED", Code.FAILED_PRECONDITION
    """A resumable upload is a job, or is being made one, and takes no more bytes. Get the upload to
    see its job."""
    UPLOAD_IDLE = "UPLOAD_IDLE", Code.DEADLINE_EXCEEDED
    """An upload stalled for too long. Send the recording again."""
    UPLOAD_INCOMPLETE = "UPLOAD_INCOMPLETE", Code.INVALID_ARGUMENT
    """An upload ended without its finish message, or did not arrive as it was sent. Send the
    recording again."""
    UPLOAD_NOT_FOUND = "UPLOAD_NOT_FOUND", Code.NOT_FOUND
    """There is no resumable upload with this id, or it belongs to another tenant, or it was
    removed. Begin another one."""
    UPLOAD_OFFSET_WRONG = "UPLOAD_OFFSET_WRONG", Code.ABORTED
    """A resumable upload has another number of bytes than the client counts on: another call
    appends to it, or bytes came before a break. Go on from the offset that the error names."""
    UPLOAD_OUT_OF_ORDER = "UPLOAD_OUT_OF_ORDER", Code.INVALID_ARGUMENT
    """An upload's messages came out of order. Send the config, then the audio, then finish."""
    UPLOAD_PART_TOO_LARGE = "UPLOAD_PART_TOO_LARGE", Code.INVALID_ARGUMENT
    """One message of an upload is too large. Cut the recording into parts of about 256 KiB."""
    UPLOAD_PROTOCOL_UNSUPPORTED = "UPLOAD_PROTOCOL_UNSUPPORTED", Code.FAILED_PRECONDITION
    """A request of a resumable upload over HTTP names no version of tus that is spoken here. Send
    `Tus-Resumable: 1.0.0`."""
    UPLOAD_TOO_LARGE = "UPLOAD_TOO_LARGE", Code.RESOURCE_EXHAUSTED
    """The recording is larger than the gateway takes. Send a compressed file, or cut it into
    parts."""
    UPLOAD_TOO_LONG = "UPLOAD_TOO_LONG", Code.DEADLINE_EXCEEDED
    """An upload took too long. Send the recording again over a faster connection."""
    UPLOAD_TOO_SLOW = "UPLOAD_TOO_SLOW", Code.DEADLINE_EXCEEDED
    """An upload came too slowly. Send the recording again over a faster connection."""
    URI_NOT_ALLOWED = "URI_NOT_ALLOWED", Code.INVALID_ARGUMENT
    """The URL of a webhook or a recording cannot be used or leads to an address that must not be
    reached. Use another, or allow its network in MAIE_WEBHOOKS_ALLOWED_NETWORKS or
    MAIE_FETCH_ALLOWED_NETWORKS."""
    VOICES_FULL = "VOICES_FULL", Code.FAILED_PRECONDITION
    """The tenant has as many profiles of voices as it may, or the profile has as many recordings.
    Delete a profile that nobody needs, or ask the operator for more."""
    VOICES_MISSING = "VOICES_MISSING", Code.FAILED_PRECONDITION
    """It is not stored how a speaker of the job sounds: its speakers were not asked for, each has a
    channel or track, or an earlier release told them apart. Process the recording again with the
    feature SPEAKERS, with its channels mixed. In live sessions let a track have several
    speakers."""
    VOICES_NOT_READY = "VOICES_NOT_READY", Code.FAILED_PRECONDITION
    """The speakers of the job are not told apart yet. Ask again when it is complete."""
    VOICES_OFF = "VOICES_OFF", Code.FAILED_PRECONDITION
    """The tenant may not enrol or find voices. Who looks after the mesh can allow it with `maie
    tenants limit TENANT --set voices=100`, once the people and the law agree."""
    VOICE_CORRUPT = "VOICE_CORRUPT", Code.DATA_LOSS
    """What is stored of a voice cannot be read. Delete its profile and enrol it again."""
    VOICE_NOT_FOUND = "VOICE_NOT_FOUND", Code.NOT_FOUND
    """There is no profile of a voice with this id, or it belongs to another tenant. `maie voices
    list` shows the profiles."""
    VOICE_OUTDATED = "VOICE_OUTDATED", Code.ABORTED
    """Somebody changed the profile of the voice meanwhile. Get it, and change it again."""
    VOICE_TOO_SHORT = "VOICE_TOO_SHORT", Code.FAILED_PRECONDITION
    """Too little clean speech of the speaker was heard to know the voice again. Enrol one of at
    least 3 s in which nobody else speaks."""
    WAVEFORM_NOT_MADE = "WAVEFORM_NOT_MADE", Code.NOT_FOUND
    """The job has no waveform: an earlier release made it, its recording could not be read, or it
    is a live session whose audio was not kept. Draw a plain bar, or submit the recording again."""
    WAVEFORM_NOT_READY = "WAVEFORM_NOT_READY", Code.FAILED_PRECONDITION
    """The waveform of a recording is made while it is decoded, and is not there yet. Ask again when
    the job's metrics have its length."""
    WEBHOOK_INVALID = "WEBHOOK_INVALID", Code.INVALID_ARGUMENT
    """There are too many webhooks, an event is not known, or a secret is too short, too long, or no
    key of Standard Webhooks though it begins with `whsec_`. Correct the field that the error
    names."""
    WEBHOOK_UNKNOWN = "WEBHOOK_UNKNOWN", Code.FAILED_PRECONDITION
    """A tenant's receiver is not configured any more. Give all gateways the same
    MAIE_WEBHOOKS_TENANTS and replay the dead letter."""
    WINDOW_TOO_SMALL = "WINDOW_TOO_SMALL", Code.FAILED_PRECONDITION
    """The language model's window is too small for the work. Use a model with a larger window."""
    WORDS_CHANGED = "WORDS_CHANGED", Code.INTERNAL
    """The enhancement engine changed the words of a segment. Use the raw transcript, or another
    engine."""
    WORKER_LOST = "WORKER_LOST", Code.ABORTED
    """Too many workers died or stopped answering while they had the unit. Read the workers'
    logs."""
    WORKER_STOPS = "WORKER_STOPS", Code.UNAVAILABLE
    """The worker shuts down. Try again with another one."""


class WarningReason(enum.StrEnum):
    """The reasons of warnings: `maie.common.v1.Warning.reason`."""

    AUDIO_SLOW = "AUDIO_SLOW"
    """The audio of a live track comes slower than it is spoken, so its text is late and its times
    are too early. Send silence where nothing is recorded, and check the network."""
    CHANNELS_CANCEL = "CHANNELS_CANCEL"
    """The channels cancel each other out, so only one of them was used. Check how the channels
    were recorded."""
    CLIPPING = "CLIPPING"
    """The recording, or the audio of a live track, is clipped. Record at a lower level."""
    DAMAGED = "DAMAGED"
    """Parts of the file could not be decoded and are replaced by silence. Export the recording
    again."""
    DIGEST_INCOMPLETE = "DIGEST_INCOMPLETE"
    """Some sentences of the summary could not be spoken, or not wholly. Read them; the digest names
    them."""
    GAP = "GAP"
    """The recording has a gap without audio, which is replaced by silence. Check what
    recorded it."""
    JOB_CANCELLED = "JOB_CANCELLED"
    """The job was cancelled before its summary was there. Retry the job."""
    LANGUAGE_NOT_SUMMARIZED = "LANGUAGE_NOT_SUMMARIZED"
    """The summary engine does not support the language. Use a language model for the summary."""
    NO_SPEECH = "NO_SPEECH"
    """The recording has no speech, so there is no text. Check that it is the right one."""
    OTHER_TRACKS = "OTHER_TRACKS"
    """The file has audio tracks that were not transcribed. Request one of them, or all."""
    PARTIALS_THINNED = "PARTIALS_THINNED"
    """Partial results of a live track come more seldom than asked for, so that finals are not late.
    Start more ASR workers, or ask for them more seldom."""
    POOR_SOUND = "POOR_SOUND"
    """The sound of the recording is so poor that the text may have more errors. Record closer to
    the microphone, in a quieter or less reverberant room."""
    QUALITY_MISSING = "QUALITY_MISSING"
    """The sound of the recording was not measured, which the job did not ask for, so the job is
    complete without. The warning says why. Start more quality workers, or ask for the feature
    `quality`, whose jobs wait for it."""
    REFINEMENTS_LATE = "REFINEMENTS_LATE"
    """Enhancement does not keep up with a live session, so some finals may have no refinement. The
    job's clean transcript has them all. Start more enhancement workers."""
    SPEAKERS_MISSING = "SPEAKERS_MISSING"
    """Who speaks is not known for some text of a live track that several people share. Start more
    diarization workers with a port."""
    TEXT_DIFFERS = "TEXT_DIFFERS"
    """Fewer than half of the words were read as the text has them. Check that the text is that of
    the recording."""
    TEXT_REMOVED = "TEXT_REMOVED"
    """Text was left out because it was probably never spoken. Listen to the range that the warning
    names."""
    TRUNCATED = "TRUNCATED"
    """The file ends before it should. Export the recording again."""
    UNREAD_SPEECH = "UNREAD_SPEECH"
    """Speech could not be transcribed. Listen to the range that the warning
    names."""
