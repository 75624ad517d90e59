"""ADDRESS: may the gateway be asked there?"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from batchpay.job.wording import shown

MAX_HOST = 253  # characters of a name that DNS can hold


_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*\.?", re.ASCII)


def wrong_with(url: str) -> str:
    """What a gateway's address has against it, in a sentence; empty for a good one."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
    except ValueError as error:
        return (
            f"{shown(url)} is no address ({error}); a port is a number from 1 to 65535"
        )
    if port == 0 or not host:
        return (
            f"{shown(url)} names no host, or a port that is none; a port is a number from 1 to"
            " 65535"
        )
    if "[" not in url and not (_HOST.fullmatch(host) and len(host) <= MAX_HOST):
        return (
            f"{shown(host)} is no host: letters, digits, dashes and points (a name of other"
            " letters as xn--...)"
        )
    if parts.scheme == "https" or host == "localhost":
        return ""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if loopback:
        return ""
    return "http:// is for this machine only (127.0.0.1, localhost); use https://"
