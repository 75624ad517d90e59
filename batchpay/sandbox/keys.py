"""Which API keys are good: the kind a path asks for, known here, and not revoked (omise-api.md, 1.2)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable

from batchpay.sandbox.problems import unauthorised

SECRET, PUBLIC, EITHER = "secret", "public", "either"
_SECRET = re.compile(r"skey_test_\w+\Z", re.ASCII)
_PUBLIC = re.compile(r"pkey_(test_)?\w+\Z", re.ASCII)


class Keys:
    """Any secret test key is good until some are named; any public key is."""

    def __init__(self, secret: Iterable[str] | None) -> None:
        self._named = None if secret is None else frozenset(secret)
        self._revoked: set[str] = set()

    def accept(self, *secret: str) -> None:
        """From now on only these secret keys are good."""
        self._named = frozenset(secret)
        self._revoked.difference_update(secret)

    def revoke(self, key: str) -> None:
        """From now on this key is not."""
        self._revoked.add(key)

    def checked(self, authorization: bytes, access: str) -> str:
        """The key; raises 401 for none, a malformed one, a revoked one or one of the wrong kind."""
        scheme, _, token = authorization.partition(b" ")
        try:
            key = base64.b64decode(token, validate=True).decode("ascii").partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            raise unauthorised() from None
        if scheme.lower() != b"basic" or key in self._revoked:
            raise unauthorised()
        secret = bool(_SECRET.match(key)) if self._named is None else key in self._named
        if not ((secret and access != PUBLIC) or (_PUBLIC.match(key) and access != SECRET)):
            raise unauthorised()
        return key
