"""The script people write: pandas reads, jsonschema checks each row, omise-python charges, pandas
writes.

`python -m benchmarks.peers.script ORDERS URL RESULTS`
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal

import jsonschema
import omise
import pandas as pd

from batchpay.job.packaged import data_path


def main(orders: str, url: str, results: str) -> None:
    omise.api_secret, omise.api_main = "skey_test_0123456789abcdef", url
    frame = pd.read_csv(orders, dtype=str)
    with data_path("schemas/order.schema.json").open(encoding="utf-8") as file:
        validator = jsonschema.Draft202012Validator(json.load(file))
    told = []
    for row in frame.to_dict("records"):
        document = {
            "order_id": row["order_id"],
            "amount": int(Decimal(row["amount"]) * 100),
            "currency": row["currency"].lower(),
            "destination": row["recipient"],
            "card": row["card"],
            "description": f"{row['item']} from {row['shop']}",
            "metadata": {"invoice": row["invoice"]},
        }
        if errors := [error.message for error in validator.iter_errors(document)]:
            told.append((row["order_id"], "rejected", "; ".join(errors), ""))
            continue
        order_id = document.pop("order_id")
        document["metadata"]["order_id"] = order_id
        made = omise.Charge.create(**document)
        told.append((order_id, made.status, "", made.id))
    pd.DataFrame(told, columns=["order_id", "outcome", "reason", "charge_id"]).to_csv(
        results, index=False
    )


if __name__ == "__main__":
    main(*sys.argv[1:4])
