"""Which API keys are good, and whose they are (docs/gateway.md, 1.2).

Each secret key is of an account of its own, unless it is named among those of another. Where every
key of an account was withdrawn, the next secret key that nobody has used before is its new one: so
a key is rolled at the gateway.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping

from batchpay.domain.errors import Misconfigured
from batchpay.sandbox.ledger import Ledger
from batchpay.sandbox.problems import unauthorised
from batchpay.sandbox.store import Store

SECRET = "secret"  # noqa: S105  (a kind of key, not a key)
PUBLIC = "public"
EITHER = "either"
_SECRET = re.compile(r"skey_test_\w+\Z", re.ASCII)
_PUBLIC = re.compile(r"pkey_(test_)?\w+\Z", re.ASCII)


class Keys:
    """Any secret test key is good until some are named; any public key is. Keys of named accounts
    always are.
    """

    def __init__(
        self,
        secret: Iterable[str] | None = None,
        accounts: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        if secret is None:
            self._named = None
        else:
            self._named = frozenset(secret)
        self._revoked: set[str] = set()
        # every secret key that is named or was used -> its account
        self._account: dict[str, str] = {}
        for name, keys in (accounts or {}).items():
            for key in keys:
                if self._account.setdefault(key, _id_of(f"account {name}")) != _id_of(
                    f"account {name}"
                ):
                    raise Misconfigured(
                        f"a key of account {name} is of another account too: name it once"
                    )
        self._owned = frozenset(self._account)

    def accept(self, *secret: str) -> None:
        """From now on only these secret keys are good."""
        self._named = frozenset(secret)
        self._owned = frozenset()
        self._revoked.difference_update(secret)

    def revoke(self, key: str) -> None:
        """From now on this key is not."""
        self._revoked.add(key)

    def checked(self, authorization: bytes, access: str) -> str:
        """The key; raises 401 for none, a malformed one, a revoked one or one of the wrong kind."""
        scheme, _, token = authorization.partition(b" ")
        try:
            key = (
                base64.b64decode(token, validate=True).decode("ascii").partition(":")[0]
            )
        except (binascii.Error, UnicodeDecodeError):
            raise unauthorised() from None
        if scheme.lower() != b"basic" or key in self._revoked:
            raise unauthorised()
        if not (
            (access != PUBLIC and self._good(key))
            or (access != SECRET and _PUBLIC.match(key))
        ):
            raise unauthorised()
        return key

    def books(self, key: str, store: Store) -> Ledger:
        """The books that a key opens; a public key opens those that are no account's."""
        if _PUBLIC.match(key):
            return store.common
        if key not in self._account:
            self._account[key] = self._settled(key, store)
        return store.of(self._account[key])

    def _good(self, key: str) -> bool:
        if key in self._revoked:
            return False
        return key in self._owned or (
            bool(_SECRET.match(key)) if self._named is None else key in self._named
        )

    def _settled(self, key: str, store: Store) -> str:
        """Whose a key is that is used for the first time since the start."""
        name = _id_of(f"key {key}")
        if (kept := store.common.find("key", name)) is not None:
            return str(kept["account"])
        if name in store.ledgers:
            return name
        usable = {
            account for other, account in self._account.items() if self._good(other)
        }
        left = [account for account in self._account.values() if account not in usable]
        if not left:
            return name
        store.common.commit(things=[("key", {"id": name, "account": left[0]})])
        return left[0]


def _id_of(what: str) -> str:
    """Nineteen characters, as an id has them; they tell nothing of the key."""
    number = int.from_bytes(
        hashlib.sha256(f"batchpay sandbox {what}".encode()).digest()
    )
    digits = ""
    for _ in range(19):
        number, digit = divmod(number, 36)
        digits += "0123456789abcdefghijklmnopqrstuvwxyz"[digit]
    return digits
