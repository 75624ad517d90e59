"""PROOF: what one answer proves about the request it answers (docs/laws.md, "The proof table")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from batchpay.domain.model import Answer, ChargeSeen, ChargeWithoutId, Intent
from batchpay.lifecycle.charge import flaws_of


class Proof(StrEnum):
    """What one answer proves about the request it answers."""

    NOT_SENT = "not_sent"  # no byte left this machine
    CHARGE = "charge"  # a charge exists and is the one that was asked for
    # a charge exists and is not what was asked for: a person, stop
    UNPROVEN = "unproven"
    REFUSED = "refused"  # nothing was charged and the gateway says why
    THROTTLED = "throttled"  # nothing was charged: too many requests
    # nothing was charged: the secret key is wrong for everybody
    KEY_REFUSED = "key_refused"
    NOT_HERE = "not_here"  # nothing was charged: this is not where charges are made
    KEY_REUSED = "key_reused"  # our key discipline is broken: stop
    IN_DOUBT = "in_doubt"  # everything else


# nothing was charged, and the same request may go again
GOES_AGAIN = frozenset(
    {Proof.NOT_SENT, Proof.THROTTLED, Proof.KEY_REFUSED, Proof.NOT_HERE}
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A proof with what it rests on."""

    proof: Proof
    # that it proves; with IN_DOUBT one that it speaks of and does not prove
    charge: ChargeSeen | None = None
    flaws: tuple[str, ...] = ()  # how the charge differs from what was asked
    code: str = ""
    message: str = ""
    # the token is used up after a doubt: look up for ever, never send again
    spent: bool = False


_NAMES_AN_ID = re.compile(
    r"\b(?:recp|cust|card|tokn|src)_[\w*]+|\b(?:customer|card|token|source|recipient) \S+ was not"
)
_UNCLEAR_4XX = frozenset({408, 409, 425, 499})
_NOT_CHARGED_4XX = frozenset({404, 405, 410, 413, 414, 431})


def verdict(
    answer: Answer[ChargeSeen | ChargeWithoutId],
    intent: Intent,
    *,
    live: bool,
    doubted: bool,
    trust_429: bool = True,
) -> Verdict:
    """What an answer to `POST /charges` proves. `doubted`: was any send with its token ever in
    doubt (Case.doubted)?

    `trust_429`: False for a gateway that was once seen to charge behind a 429.

    A branch is a row of the table in docs/laws.md; what no branch names is in doubt.
    """
    status = answer.status
    code = answer.code
    message = answer.message
    if not answer.out:
        return Verdict(Proof.NOT_SENT, message=answer.trouble)
    if status is None:
        return Verdict(Proof.IN_DOUBT, message=answer.trouble)
    if 200 <= status <= 299:
        return _success(answer, intent, live)
    # whatever the status says, somebody charged: look at its id
    if answer.said is not None:
        told = f"status {status} with a charge"
        return Verdict(
            Proof.IN_DOUBT,
            charge=_with_id(answer.said),
            code=code,
            message=told,
        )
    if status == 429 and trust_429:
        return Verdict(Proof.THROTTLED, code=code, message=message)
    if status == 429:
        return Verdict(Proof.IN_DOUBT, code=code, message=message)
    if status in (401, 403):
        return Verdict(Proof.KEY_REFUSED, code=code or str(status), message=message)
    if not 400 <= status <= 499:
        return Verdict(Proof.IN_DOUBT, code=code, message=message or f"status {status}")
    if status in (409, 422) and _speaks_of_reused_key(code, message):
        return Verdict(Proof.KEY_REUSED, code=code, message=message)
    if status in _UNCLEAR_4XX or code == "backend_error":
        return Verdict(Proof.IN_DOUBT, code=code, message=message or f"status {status}")
    bare = message or f"status {status} without the gateway's error object"
    if status in _NOT_CHARGED_4XX and (
        not code
        or status in (405, 410)
        or (status == 404 and not _is_about_the_order(code, message))
    ):
        return Verdict(Proof.NOT_HERE, code=code, message=bare)
    if code == "used_token" and doubted:
        return Verdict(Proof.IN_DOUBT, code=code, message=message, spent=True)
    if code:
        return Verdict(Proof.REFUSED, code=code, message=message)
    return Verdict(Proof.IN_DOUBT, message=bare)


def _success(
    answer: Answer[ChargeSeen | ChargeWithoutId], intent: Intent, live: bool
) -> Verdict:
    match answer.said:
        case None:
            told = answer.message or "a success status without a charge object"
            return Verdict(Proof.IN_DOUBT, code=answer.code, message=told)
        case ChargeWithoutId(flaws):
            return Verdict(Proof.UNPROVEN, flaws=flaws)
        case charge:
            flaws = flaws_of(charge, intent, live)
            return Verdict(
                Proof.UNPROVEN if flaws else Proof.CHARGE, charge=charge, flaws=flaws
            )


def _with_id(charge: ChargeSeen | ChargeWithoutId) -> ChargeSeen | None:
    if isinstance(charge, ChargeSeen):
        return charge
    return None


def _is_about_the_order(code: str, message: str) -> bool:
    return (
        code not in ("not_found", "service_not_found")
        or _NAMES_AN_ID.search(message) is not None
    )


def _speaks_of_reused_key(code: str, message: str) -> bool:
    text = f"{code} {message}".lower()
    return "idempot" in text and any(
        word in text for word in ("reuse", "different", "mismatch", "other param")
    )


def is_unknown(answer: Answer[Any]) -> bool:
    """Does it say that there is no charge of the id that was asked for? By the gateway's own code:
    a 404 of something in between says nothing (docs/gateway.md, 1.6 and 4.3).
    """
    return answer.status == 404 and answer.code == "not_found"
