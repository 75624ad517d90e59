"""REQUEST: what an order becomes on the wire: the exact body of an attempt, and what its answer
must agree with.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote_plus

from batchpay.domain.model import Document, Intent
from batchpay.job.job import Fee
from batchpay.lifecycle.keys import key_of
from batchpay.lifecycle.order_ids import alike
from batchpay.lifecycle.payers import content_of, payer_of, single_use_of
from batchpay.lifecycle.places import told_row, told_sale


def intent_of(
    document: Document,
    *,
    job: str,
    attempt: int,
    fee: Fee | None,
    batch_id: str,
    sheet: str,
    row: int,
    run_id: str,
    journal_id: str,
    mode: str = "",
    corrects: str = "",
    sale: Sequence[str] = (),
    ids_from: str = "",
    extras_from: str = "",
) -> Intent:
    """The frozen request of an attempt: key, exact body and what an answer must agree with."""
    order_id = str(document["order_id"])
    key = key_of(job, order_id, attempt)
    metadata = {
        **document.get("metadata", {}),
        "order_id": order_id,
        "batchpay_key": key,
        "batchpay_batch": batch_id,
        "batchpay_row": told_row(sheet, row),
        "batchpay_job": job,
        "batchpay_run": run_id,
        "batchpay_journal": journal_id,
    }
    if ids_from:
        metadata["batchpay_ids"] = ids_from
    metadata |= told_sale(sale)
    body = form_encoded(document, metadata, fee)
    currency = str(document["currency"])
    fixed, percentage = _commission_in(fee, currency)
    return Intent(
        order_id=order_id,
        attempt=attempt,
        key=key,
        body=body,
        body_sha256=hashlib.sha256(body.encode()).hexdigest(),
        content=content_of(document),
        amount=int(document["amount"]),
        currency=currency,
        destination=str(document["destination"]),
        payer=payer_of(document),
        batch_id=batch_id,
        sheet=sheet,
        row=row,
        run_id=run_id,
        alike=alike(order_id),
        single_use=single_use_of(document),
        mode=mode,
        fee_fixed=fixed,
        fee_percentage=percentage,
        corrects=corrects,
        sale=tuple(sale),
        ids_from=ids_from,
        extras_from=extras_from,
    )


def form_encoded(
    document: Document, metadata: Mapping[str, str], fee: Fee | None
) -> str:
    """The body of `POST /charges` as application/x-www-form-urlencoded (docs/gateway.md, 1.4 and
    2.1).
    """
    fields = [("amount", str(document["amount"]))]
    for name in SENT_AS_THEY_ARE:
        if name in document:
            fields.append((name, str(document[name])))
    fixed, percentage = _commission_in(fee, str(document["currency"]))
    if fixed is not None:
        fields.append(("platform_fee[fixed]", str(fixed)))
    if percentage is not None:
        fields.append(("platform_fee[percentage]", percentage))
    for name, value in metadata.items():
        fields.append((f"metadata[{name}]", value))
    return "&".join(f"{_quoted_name(name)}={_quoted(value)}" for name, value in fields)


SENT_AS_THEY_ARE = (
    "currency",
    "destination",
    "customer",
    "card",
    "source",
    "description",
    "return_uri",
)


def _commission_in(fee: Fee | None, currency: str) -> tuple[int | None, str | None]:
    """Fixed, in smallest units, and percentage."""
    if fee is None:
        return None, None
    return fee.fixed_in(currency), fee.percentage


_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")
# A job has a few names, each of them in every order.
_quoted_name = lru_cache(maxsize=1024)(quote_plus)


def _quoted(value: str) -> str:
    """`quote_plus`, which is slow to find out that most values need nothing."""
    if _PLAIN.fullmatch(value):
        return value
    return quote_plus(value)
