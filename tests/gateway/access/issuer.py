"""An issuer of tokens, with keys of its own."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "https://issuer.example"
AUDIENCE = "maie"


@dataclass(kw_only=True)
class Issuer:
    """Signs tokens, and says by which keys.

    Attributes:
        private: Its keys, by id.
        reads: How often its set of keys was read.
        dead: Whether it answers no more.
    """

    private: dict[str, Any] = field(default_factory=dict)
    reads: int = 0
    dead: bool = False

    def add(self, key_id: str, kind: str = "RSA", bits: int = 2048) -> None:
        """Makes a key."""
        match kind:
            case "RSA":
                made: Any = rsa.generate_private_key(public_exponent=65537, key_size=bits)
            case "EC":
                made = ec.generate_private_key(ec.SECP256R1())
            case _:
                made = ed25519.Ed25519PrivateKey.generate()
        self.private[key_id] = made

    def jwks(self) -> dict[str, Any]:
        """Its set of keys."""
        return {"keys": [self._described(key_id) for key_id in self.private]}

    def _described(self, key_id: str) -> dict[str, Any]:
        public = self.private[key_id].public_key()
        kind = {
            rsa.RSAPublicKey: RSAAlgorithm,
            ec.EllipticCurvePublicKey: ECAlgorithm,
            ed25519.Ed25519PublicKey: OKPAlgorithm,
        }
        algorithm: Any = next(of for each, of in kind.items() if isinstance(public, each))
        return {**json.loads(algorithm.to_jwk(public)), "kid": key_id, "use": "sig"}

    async def fetch(self) -> bytes:
        """What the gateway reads."""
        self.reads += 1
        if self.dead:
            await asyncio.sleep(3600)
        return json.dumps(self.jwks()).encode()

    def token(
        self,
        key_id: str = "one",
        algorithm: str = "RS256",
        headers: dict[str, Any] | None = None,
        without: tuple[str, ...] = (),
        **claims: Any,
    ) -> str:
        """A token; right unless something is said."""
        now = int(time.time())
        payload = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "ada",
            "iat": now,
            "exp": now + 600,
            "tenant": "acme",
            "scope": "openid maie:read maie:submit",
            **claims,
        }
        for name in without:
            del payload[name]
        return jwt.encode(
            payload, self.private[key_id], algorithm, headers={"kid": key_id, **(headers or {})}
        )

    def public_pem(self, key_id: str = "one") -> bytes:
        """A public key, as an attacker has it."""
        public = self.private[key_id].public_key()
        pem: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return pem
