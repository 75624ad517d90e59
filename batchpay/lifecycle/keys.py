"""KEYS: the Idempotency-Key of an attempt, and whose a charge is by the key that it carries.

>>> key_of("bangkok-nightly", "0001", 1) == key_of("bangkok-nightly", "0001", 1)
True
>>> key_of("bangkok-nightly", "0001", 1) == key_of("bangkok-nightly", "0001", 2)
False
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha1
from itertools import repeat

from batchpay.job.job import MAX_ATTEMPTS

# Keys are UUIDv5 under this name space; changing it would forget every key ever made.
KEY_NAMESPACE = uuid.UUID("5d0b4d9e-5a0c-5d6f-9f0e-6d2b2a1f7c31")


@lru_cache(maxsize=4096)  # each charge of a list is asked several times whose it is
def key_of(job_name: str, order_id: str, attempt: int) -> str:
    """The Idempotency-Key of an attempt: UUIDv5 of job name, order id and attempt number."""
    return _uuid5(f"[{_in_json(job_name)}, {_in_json(order_id)}, {attempt:d}]".encode())


def keys_of(
    job_name: str, order_ids: Iterable[str], attempts: Iterable[int]
) -> Iterator[str]:
    """The keys of many, of which none is asked for twice."""
    return map(key_of.__wrapped__, repeat(job_name), order_ids, attempts)


def _uuid5(name: bytes) -> str:
    """uuid.uuid5 in the namespace of the keys, as text and nothing else: a third of its cost, for
    each row of a report (RFC 9562, 5.5: version and variant take the place of some bits).

    >>> _uuid5(b"name") == str(uuid.uuid5(KEY_NAMESPACE, "name"))
    True
    """
    digits = sha1(KEY_NAMESPACE.bytes + name, usedforsecurity=False).hexdigest()
    variant = _VARIANTS[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


_VARIANTS = {f"{digit:x}": f"{digit & 3 | 8:x}" for digit in range(16)}


# a text as JSON, quotes included
_in_json = json.encoder.encode_basestring


def place_in(
    job_name: str, metadata: Mapping[str, str]
) -> tuple[str, int | None] | None:
    """Order id and attempt of a charge of this job, by what it says itself; None: it is none of
    this job's.

    The key says whose a charge is, whatever else was lost or changed (docs/gateway.md, 2.1).
    Without a number: it carries the job's name, and a key that this job would not make.
    """
    order_id = metadata.get("order_id", "")
    key = metadata.get("batchpay_key", "")
    named = metadata.get("batchpay_job", "")
    number = number_of(named, order_id, key)
    if number is not None and named != job_name:
        return None  # another job's, to the letter
    if number is None:
        number = number_of(job_name, order_id, key)
    if number is not None or named == job_name:
        return (order_id, number)
    return None


def number_of(job_name: str, order_id: str, key: str) -> int | None:
    """The attempt of this order whose key this is; None: the job would make it for none."""
    if not (order_id and key):
        return None
    for number in range(1, MAX_ATTEMPTS + 1):
        if key_of(job_name, order_id, number) == key:
            return number
    return None


def explains_itself(metadata: Mapping[str, str]) -> bool:
    """Does its key fit the job and the order that it names itself, whichever they are?"""
    job = metadata.get("batchpay_job", "")
    order_id = metadata.get("order_id", "")
    return number_of(job, order_id, metadata.get("batchpay_key", "")) is not None
