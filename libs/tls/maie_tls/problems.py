"""Why TLS to a server fails, from what gRPC says of it."""

from __future__ import annotations

# Words of grpcio 1.85 and BoringSSL in the details of UNAVAILABLE; tests/client/test_tls.py makes
# each of them.
_UNTRUSTED = (
    "The certificate of {address} is from a CA that this client does not trust; name its CA's file "
    "in {setting}."
)
_OTHER_NAME = (
    "The certificate of {address} is for another name; use a name that it has, or have one made "
    "for this name."
)
_PROBLEMS = (
    ("Hostname Verification Check failed", _OTHER_NAME),
    ("WRONG_VERSION_NUMBER", "What answers at {address} does not take TLS; {plain}."),
    ("certificate has expired", "The certificate of {address} has expired; it must be renewed."),
    (
        "certificate is not yet valid",
        "The certificate of {address} is not yet valid; check clocks.",
    ),
    ("CERTIFICATE_VERIFY_FAILED", _UNTRUSTED),
    ("certificate signature failure", _UNTRUSTED),
    ("Tls handshake failed", "TLS with {address} fails; its operator's log says why."),
)


def tls_problem(details: str, address: str, *, setting: str, plain: str) -> str:
    """A sentence about why there is no TLS connection; empty where that is not why.

    Args:
        details: The details of gRPC's UNAVAILABLE.
        address: The server's address.
        setting: What names the file of the CAs.
        plain: How to connect without TLS, such as "leave out https://".
    """
    for words, sentence in _PROBLEMS:
        if words in details:
            return sentence.format(address=address, setting=setting, plain=plain)
    return ""
