"""The fixed limits for clients, which the contract documents as well.

Configurable limits are in docs/settings.md.
"""

from __future__ import annotations

# Requests other than the parts of an upload. The largest useful request to a gateway has
# 32 labels of 256 characters: a few 10 KiB. Parsing much more would block the event loop.
MAX_GATEWAY_REQUEST_BYTES = 1024 * 1024
# Requests to a stage may contain a recording.
MAX_STAGE_REQUEST_BYTES = 16 * 1024 * 1024
MAX_AUDIO_CONTENT_BYTES = 16 * 1024 * 1024
MAX_UPLOAD_PART_BYTES = 4 * 1024 * 1024
MAX_BLOB_KEY_CHARACTERS = 1024  # as in S3
MAX_CLIENT_METADATA_CHARACTERS = 8192

# Names of a job. A file system's names have at most 255 bytes.
MAX_FILENAME_CHARACTERS = 255
MAX_REQUEST_ID_CHARACTERS = 128
MAX_DISPLAY_NAME_CHARACTERS = 200
MAX_LABELS = 32
MAX_LABEL_KEY_CHARACTERS = 63
MAX_LABEL_CHARACTERS = 256
MAX_TENANT_CHARACTERS = 32
MAX_TEMPLATE_ID_CHARACTERS = 64

# Speakers of a recording.
MAX_SPEAKERS = 50
MAX_SPEAKER_NAMES = 100
MAX_SPEAKER_NAME_CHARACTERS = 100

# Templates of a tenant's own.
MAX_TEMPLATES = 200
MAX_TEMPLATE_VERSIONS = 200
# With those that are deleted, of which a few bytes stay.
MAX_TEMPLATE_IDS = 2000
MAX_TEMPLATE_TITLE_CHARACTERS = 200
MAX_TEMPLATE_DESCRIPTION_CHARACTERS = 2000

# Profiles of voices.
MAX_VOICES = 1000
MAX_VOICE_ENROLLMENTS = 10
MAX_VOICE_SEGMENTS = 100
MAX_VOICE_NAME_CHARACTERS = MAX_SPEAKER_NAME_CHARACTERS
MAX_CONSENT_CHARACTERS = 1000
MAX_VOICE_CANDIDATES = 5
# People need about as much to know a voice, and scores of less speech say little.
MIN_CLEAN_SPEECH_SECONDS = 3.0

# Options of a recording. They are stored in the job's record, which has a size limit.
MIN_CHUNK_SECONDS = 5
MAX_CHUNK_SECONDS = 30 * 60
MAX_PROMPT_CHARACTERS = 2000
MAX_HOTWORDS = 100
MAX_HOTWORD_CHARACTERS = 64
MAX_LANGUAGE_CHARACTERS = 35  # enough for any tag: RFC 5646, section 4.4.1
MAX_TEMPERATURES = 10

# A text that is read aloud; about 4 hours of speech.
MAX_READING_TEXT_CHARACTERS = 200_000

# A text that is spoken; about 20 hours of speech.
MAX_SPEECH_CHARACTERS = 1_000_000
MAX_VOICE_CHARACTERS = 64
MIN_SPEECH_SPEED = 0.25
MAX_SPEECH_SPEED = 4.0

# Signed URLs of object stores have some 2,000 characters.
MAX_RECORDING_URL_CHARACTERS = 8192

# Webhooks.
MAX_WEBHOOKS = 4
MAX_WEBHOOK_URL_CHARACTERS = 2048
MIN_SECRET_CHARACTERS = 16
MAX_SECRET_CHARACTERS = 256

# Lists and search.
MAX_PAGE_SIZE = 1000
MAX_SEARCH_PAGE_SIZE = 100
MAX_PAGE_TOKEN_CHARACTERS = 512
MAX_QUERY_CHARACTERS = 256
MAX_SEARCH_MOMENTS = 5
