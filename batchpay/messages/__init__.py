"""The catalogue: everything that is said to a person, each sentence once, by its code.

`message` is what a message is; every other module is a family of entries. Whoever imports one of
them has all entries, so that each code that a journal holds can be worded.
"""

from batchpay.messages import (
    controls,
    exits,
    files,
    labels,
    lint,
    outcomes,
    problems,
    repeats,
    schemas,
    settings,
    standing,
    steps,
    usage,
)

FAMILIES = {
    "controls": controls,
    "exits": exits,
    "files": files,
    "labels": labels,
    "lint": lint,
    "outcomes": outcomes,
    "problems": problems,
    "repeats": repeats,
    "schemas": schemas,
    "settings": settings,
    "standing": standing,
    "steps": steps,
    "usage": usage,
}
