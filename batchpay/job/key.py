"""KEY: the gateway's secret key, from the environment or the file that it names."""

from __future__ import annotations

import os
import re
import select
from collections.abc import Mapping

from batchpay.domain.errors import Misconfigured
from batchpay.job.job import GatewaySettings

MAX_KEY_BYTES = 4096
PIPE_WAIT_S = 10  # for the one who writes the key into a pipe


class SecretKey:
    """The gateway's secret key; it never shows itself."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The key, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "SecretKey(***)"


def secret_key(environ: Mapping[str, str], gateway: GatewaySettings) -> SecretKey:
    """From OMISE_SECRET_KEY or the file OMISE_SECRET_KEY_FILE names. Raises Misconfigured."""
    direct = environ.get("OMISE_SECRET_KEY", "")
    file = environ.get("OMISE_SECRET_KEY_FILE", "")
    if direct and file:
        raise Misconfigured(
            "OMISE_SECRET_KEY and OMISE_SECRET_KEY_FILE are both set; keep one"
        )
    if file:
        try:
            direct = _start_of(file).decode("utf-8").rstrip("\r\n")
        except (OSError, ValueError) as error:
            raise Misconfigured(
                f"OMISE_SECRET_KEY_FILE names {file}, which cannot be read: {error}"
            ) from error
    if file and not direct:
        raise Misconfigured(
            f"OMISE_SECRET_KEY_FILE names {file}, which holds nothing: write the secret key into it"
        )
    if not direct:
        raise Misconfigured(
            "no secret key: set OMISE_SECRET_KEY, or OMISE_SECRET_KEY_FILE to a file that holds it"
        )
    if not re.fullmatch(
        r"(skey|ckey)_[0-9A-Za-z_]+|chain_[0-9A-Za-z_]+", direct, re.ASCII
    ):
        if direct.startswith("pkey_"):
            kind = "a public key"
        else:
            kind = "no secret key"
        if file:
            where = f"OMISE_SECRET_KEY_FILE names {file}, which"
        else:
            where = "OMISE_SECRET_KEY"
        raise Misconfigured(
            f"{where} holds {kind}; it must be one that begins with skey_"
        )
    if ("_test_" in direct) != (gateway.mode == "test"):
        if "_test_" in direct:
            mode = "test"
        else:
            mode = "live"
        raise Misconfigured(
            f'the secret key is a {mode} key, the job says mode = "{gateway.mode}"; change one of'
            " them"
        )
    return SecretKey(direct)


def _start_of(file: str) -> bytes:
    """The first bytes of a file or of a pipe, as many as a key is long at most; waits for a pipe,
    but not for ever.
    """
    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    found = b""
    try:
        while (
            len(found) < MAX_KEY_BYTES
            and select.select([handle], [], [], PIPE_WAIT_S)[0]
        ):
            if not (block := os.read(handle, MAX_KEY_BYTES - len(found))):
                break
            found += block
        else:
            if not found:
                raise OSError(f"nothing came of it within {PIPE_WAIT_S} s")
        return found
    finally:
        os.close(handle)
