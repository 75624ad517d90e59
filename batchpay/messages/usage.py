"""USAGE: what the command line asks for and cannot be done."""

from __future__ import annotations

from batchpay.messages.message import entry

UNKNOWN_CODE = entry(
    "unknown-code",
    "no message has the code {code}; `batchpay explain` lists them all",
    means="The command was asked for a code that is none.",
    example="batchpay explain 42x",
    remedy="Copy the code as it is shown, or take one from the list.",
)
UNKNOWN_CODE_NEAR = entry(
    "unknown-code.near",
    "no message has the code {code}; near it: {near}; `batchpay explain` lists them all",
    means="The command was asked for a code that is none, but like one.",
    example="batchpay explain number-fromat",
    remedy="Take one of the codes that are named.",
)
