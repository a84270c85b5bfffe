"""The attacks, each with its expected answer and the tests that carry it out.

Tests in this folder name their attack by a marker, `@pytest.mark.attack(7)`. Tests elsewhere that
carry out an attack already are named here.
"""

from __future__ import annotations

from dataclasses import dataclass

_KEYS = "tests/gateway/access/test_keys.py"
_TOKENS = "tests/gateway/access/test_tokens.py"
_TENANTS = "tests/gateway/test_other_tenants.py"
_TLS = "tests/runtime/test_tls.py"
_CERTIFICATES = "tests/runtime/callers/test_mesh_certificate.py"
_SLOW = "tests/gateway/test_slow_uploads.py"
_AUDIO = "tests/preprocess/test_attacks.py"
_FETCHING = "tests/gateway/fetching/test_source.py"
_HOOKS = "tests/gateway/webhooks/test_destinations.py"
_PROMPT = "tests/templates/test_prompt.py"
_BOUNDS = "tests/gateway/readmodel/test_bounds.py"
_UNREADABLE = "tests/gateway/test_unreadable.py"
_RIGHTS = "tests/rights/test_each_credential.py"
_LIVE = "tests/gateway/live/test_contract.py"
_RESUMED = "tests/gateway/live/test_exactly_once.py"
_SUPPORT = "tests/summary/test_support.py"
_LONG = "tests/preprocess/test_long_recordings.py"
_OTHER_USER = "tests/gateway/access/test_other_user.py"
_FORMATS = "tests/formats/test_formats.py"


@dataclass(kw_only=True, frozen=True, slots=True)
class Attack:
    """An attack and its answer.

    Attributes:
        number: Its number, which tests name.
        attack: What is tried.
        expected: How it must end.
        also: Node ids of tests elsewhere that carry it out, or parts of it.
    """

    number: int
    attack: str
    expected: str
    also: tuple[str, ...] = ()


ATTACKS = (
    Attack(
        number=1,
        attack="no key, a garbage or expired one; a token without signature, of another audience "
        "or issuer",
        expected="UNAUTHENTICATED",
        also=(
            f"{_KEYS}::test_nobody_gets_in_without_a_key_that_works",
            f"{_KEYS}::test_an_expired_key_says_so_to_who_has_it",
            f"{_TOKENS}::test_a_wrong_token_is_refused",
            f"{_TOKENS}::test_forged_tokens_are_refused",
        ),
    ),
    Attack(
        number=2,
        attack="a tenant gets, watches, cancels or deletes another's job, or reads its recording",
        expected="NOT_FOUND, the same as for an absent one",
        also=(
            f"{_TENANTS}::test_another_tenants_things_look_like_absent_ones",
            f"{_TENANTS}::test_the_broker_is_asked_the_same_for_anothers_job_as_for_an_absent_one",
        ),
    ),
    Attack(
        number=3,
        attack="a user's key calls what only an admin may",
        expected="PERMISSION_DENIED",
        also=(f"{_KEYS}::test_a_key_acts_for_its_tenant_within_its_scopes",),
    ),
    Attack(
        number=4,
        attack="a call to a stage without a certificate of the mesh, or with another part's",
        expected="the TLS handshake fails; PERMISSION_DENIED",
        also=(
            f"{_TLS}::test_without_a_certificate_of_the_mesh_there_is_no_connection",
            f"{_TLS}::test_no_call_without_tls_comes_in",
            f"{_CERTIFICATES}::test_other_parts_are_not",
        ),
    ),
    Attack(
        number=5,
        attack="a message that is too large; an upload without end",
        expected="RESOURCE_EXHAUSTED with the limit; memory stays flat",
        also=("tests/gateway/test_jobs.py::test_an_upload_over_the_limit_is_refused_naming_it",),
    ),
    Attack(
        number=6,
        attack="a flood of calls, of uploads at once; an upload that trickles",
        expected="RESOURCE_EXHAUSTED and when to try again; DEADLINE_EXCEEDED",
        also=("tests/gateway/test_jobs.py::test_a_full_queue_refuses_at_once_with_a_retry_hint",),
    ),
    Attack(
        number=7,
        attack="hours of sound in a small file; a file that claims 100 channels",
        expected="INVALID_ARGUMENT AUDIO_TOO_LONG or AUDIO_CORRUPT",
        also=(
            f"{_AUDIO}::test_processor_time_is_limited",
            f"{_AUDIO}::test_absurd_channel_counts_are_corrupt",
            f"{_AUDIO}::test_ten_hours_in_a_few_bytes_are_too_long_while_they_are_decoded",
        ),
    ),
    Attack(
        number=8,
        attack="a playlist, an ffconcat or an SDP file under the name of an MP3",
        expected="INVALID_ARGUMENT UNSUPPORTED_FORMAT; nothing is fetched",
        also=(f"{_AUDIO}::test_a_playlist_is_refused_and_nothing_is_fetched",),
    ),
    Attack(
        number=9,
        attack="truncated, fuzzed or empty audio, of 0 channels, or with NaN for samples",
        expected="INVALID_ARGUMENT AUDIO_CORRUPT, of what is whole and empty AUDIO_EMPTY",
        also=(
            f"{_AUDIO}::test_samples_that_are_no_numbers_are_corrupt",
            f"{_AUDIO}::test_a_fuzzed_recording_is_read_or_refused",
        ),
    ),
    Attack(
        number=10,
        attack="a webhook to loopback, link-local or private addresses, by redirect or rebinding, "
        "or to a file",
        expected="INVALID_ARGUMENT URI_NOT_ALLOWED; nothing is sent",
        also=(
            "tests/gateway/egress/test_guard.py::test_urls_that_lead_elsewhere_are_refused",
            f"{_HOOKS}::test_a_redirect_to_the_inside_is_not_followed",
            f"{_HOOKS}::test_a_name_that_leads_inside_later_is_refused",
            f"{_FETCHING}::test_neither_a_url_nor_a_redirect_leads_inside",
            f"{_FETCHING}::test_the_address_that_was_checked_is_connected_to",
        ),
    ),
    Attack(
        number=11,
        attack="../, NUL, line breaks, dots and wildcards of NATS in ids, names, labels, templates",
        expected="INVALID_ARGUMENT",
        also=(
            "tests/gateway/test_names.py::test_a_name_with_a_harmful_character_is_refused_by_its_field",
            "tests/gateway/test_tenancy.py::test_a_tenant_that_is_no_name_is_refused",
        ),
    ),
    Attack(
        number=12,
        attack="a template that reaches for attributes, never ends, or makes gigabytes",
        expected="INVALID_ARGUMENT TEMPLATE_REJECTED; bounded time and memory",
        also=(
            f"{_PROMPT}::test_a_prompt_that_reaches_out_or_never_ends_is_rejected",
            "tests/templates/test_library.py::test_a_schema_that_cannot_be_filled_or_bounded_is_rejected",
        ),
    ),
    Attack(
        number=13,
        attack="speech that gives the model orders; markup and control characters in a transcript",
        expected="the summary keeps its schema; every format escapes",
        also=(
            "tests/summary/test_llm.py::test_a_spoken_instruction_cannot_leave_the_schema",
            f"{_FORMATS}::test_no_text_format_holds_a_control_character",
            f"{_FORMATS}::test_markdown_shows_text_exactly_as_it_is",
            f"{_FORMATS}::test_a_summary_of_any_text_keeps_its_outline",
        ),
    ),
    Attack(
        number=14,
        attack="a request id with other content; the request id of another tenant",
        expected="ALREADY_EXISTS; a job of its own",
        also=("tests/gateway/test_requests.py::test_a_request_id_with_other_content_is_refused",),
    ),
    Attack(
        number=15,
        attack="weights that were changed, or are a pickle",
        expected="the service does not start, and names the file and both hashes",
        also=(
            "tests/runtime/test_models.py::test_a_file_that_changed_is_named_with_both_hashes",
            "tests/runtime/test_models.py::test_a_torch_model_in_a_pickle_is_refused",
        ),
    ),
    Attack(
        number=16,
        attack="a list by 100,000 labels or 10,000 states; a search of a megabyte; forged tokens "
        "of pages",
        expected="INVALID_ARGUMENT, without the database; other callers are served",
        also=(
            f"{_BOUNDS}::test_too_much_is_refused_without_the_database",
            f"{_BOUNDS}::test_a_token_of_ones_own_making_reaches_no_further",
        ),
    ),
    Attack(
        number=17,
        attack="hours of silence, and long recordings of speech, beside short interactive jobs",
        expected="refused by its stated length, or read while short jobs go on",
        also=(f"{_LONG}::test_short_recordings_are_read_while_long_ones_are_at_their_limit",),
    ),
    Attack(
        number=18,
        attack="50 uploads of a byte now and then; 60 that stop in the middle",
        expected="DEADLINE_EXCEEDED by a least rate and a total time; other submits are accepted",
        also=(f"{_SLOW}::test_fifty_trickling_uploads_of_a_tenant_keep_nobody_out",),
    ),
    Attack(
        number=19,
        attack="a garbage record, a garbage task, a deleted stream, while a mesh runs and before",
        expected="dead-lettered; gateways start; streams come back",
        also=(
            f"{_UNREADABLE}::test_a_garbage_record_keeps_no_gateway_from_starting",
            f"{_UNREADABLE}::test_a_garbage_task_is_given_up_at_once",
            f"{_UNREADABLE}::test_a_deleted_stream_comes_back",
        ),
    ),
    Attack(
        number=20,
        attack="another's job, object or digest at the port of a stage",
        expected="NOT_FOUND, the same as for an absent one; nothing of digests",
        also=(
            "tests/preprocess/test_direct_calls.py::test_a_foreign_recording_looks_like_an_absent_one",
        ),
    ),
    Attack(
        number=21,
        attack="another user of the machine at gateway, stages, broker, its monitor, and the "
        "folder of maie up",
        expected="each is refused",
        also=(f"{_OTHER_USER}::test_no_rpc_of_gateway_and_stages_answers_another_user",),
    ),
    Attack(
        number=22,
        attack="the credential of each part, used for what is not its own",
        expected="each subject, stream, bucket and call is refused",
        also=(
            f"{_RIGHTS}::test_each_subject_stream_bucket_and_call_of_others_is_refused",
            f"{_RIGHTS}::test_no_answer_goes_where_its_subject_says_it_should",
        ),
    ),
    Attack(
        number=23,
        attack="a resume token of another session or tenant, of one that ended, or used twice",
        expected="PERMISSION_DENIED, of another tenant NOT_FOUND, after the end "
        "FAILED_PRECONDITION; of two holders the later has it",
        also=(
            f"{_LIVE}::test_a_foreign_token_or_tenant_reaches_no_session",
            f"{_RESUMED}::test_the_later_of_two_clients_has_the_session",
        ),
    ),
    Attack(
        number=24,
        attack="a template's example, an order in the audio, or a line that does not say it, as "
        "an item of a summary",
        expected="rejected and asked for again; never shown",
        also=(
            f"{_SUPPORT}::test_a_model_that_copies_the_example_is_asked_again_and_never_shown",
            f"{_SUPPORT}::test_an_item_must_share_a_word_with_the_lines_that_it_cites",
            f"{_SUPPORT}::test_an_example_cannot_slip_into_a_true_answer",
        ),
    ),
)


def markdown() -> str:
    """The table as docs/attacks.md has it."""
    rows = [f"| {each.number} | {each.attack} | {each.expected} |" for each in ATTACKS]
    return "\n".join(["| # | attack | answer |", "| --- | --- | --- |", *rows]) + "\n"
