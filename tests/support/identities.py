"""An identity provider for tests: gives out signed tokens (OAuth 2 client credentials), and can be told not to."""

import base64
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import BasicAuth, web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.certificates import Identity

CLIENT = "clickstream"
SECRET = "client-secret"  # noqa: S105 - of a server on loopback
ISSUER = "https://identity.test"
AUDIENCE = "events"
KEY_ID = "key-1"
LIFETIME = 3600.0


@dataclass
class Tokens:
    """Signs tokens (JWS, RS256).

    Attributes:
        audience: whom they are for; a broker that expects another one refuses them.
        lifetime: seconds until they expire.
    """

    audience: str = AUDIENCE
    lifetime: float = LIFETIME
    _key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65_537, 2048))

    def sign(self) -> str:
        """Make a token."""
        now = time.time()
        header = {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
        claims = {"sub": CLIENT, "iss": ISSUER, "aud": self.audience, "iat": int(now), "exp": now + self.lifetime}
        signed = f"{_encoded(_json(header))}.{_encoded(_json(claims))}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encoded(signature)}"

    def write_keys(self, file: Path) -> None:
        """Write the public key, with which brokers verify (a JSON Web Key Set)."""
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID}
        parts = {"n": _integer(numbers.n), "e": _integer(numbers.e)}
        file.write_bytes(_json({"keys": [key | parts]}))


@dataclass
class IdentityProvider:
    """Where clients fetch tokens.

    Attributes:
        url: its token endpoint.
        refusing: whether it knows no client any more.
        given: the tokens that it gave.
    """

    tokens: Tokens
    url: str = ""
    refusing: bool = False
    given: list[str] = field(default_factory=list)

    async def token(self, request: web.Request) -> web.Response:
        """Give a token for the client's credentials, in the header or in the form."""
        form = await request.post()
        header = request.headers.get("Authorization")
        login = BasicAuth.decode(header) if header else BasicAuth(str(form["client_id"]), str(form["client_secret"]))
        if self.refusing or (login.login, login.password) != (CLIENT, SECRET):
            return web.json_response({"error": "invalid_client", "error_description": "unknown client"}, status=401)
        self.given.append(self.tokens.sign())
        answer = {"access_token": self.given[-1], "token_type": "Bearer", "expires_in": self.tokens.lifetime}
        return web.json_response(answer)


@asynccontextmanager
async def running_provider(tokens: Tokens, identity: Identity | None) -> AsyncIterator[IdentityProvider]:
    """An identity provider on loopback; with TLS where it is given an identity."""
    provider = IdentityProvider(tokens)
    app = web.Application()
    app.add_routes([web.post("/token", provider.token)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(identity) if identity else None).start()
    provider.url = f"{'https' if identity else 'http'}://127.0.0.1:{runner.addresses[0][1]}/token"
    try:
        yield provider
    finally:
        await runner.cleanup()


def server_context(identity: Identity, clients: Path | None = None) -> ssl.SSLContext:
    """TLS for a server; with `clients`, an authority's certificate, only for clients that it signed."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(identity.certificate, identity.key)
    if clients:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _integer(value: int) -> str:
    return _encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))
