"""The catalogue: everything that is said to a person, each sentence once, by its code.

`message` is what a message is; every other module is a family of entries. Whoever imports one of
them has all entries, so that each code that a journal holds can be worded.
"""

from batchpay.messages import (
    archives,
    contents,
    controls,
    exits,
    files,
    headers,
    helping,
    labels,
    limits,
    lint,
    nights,
    noticed,
    outcomes,
    packages,
    problems,
    repeats,
    schemas,
    settings,
    sheets,
    standing,
    steps,
    stories,
    texts,
    usage,
)

FAMILIES = {
    "archives": archives,
    "contents": contents,
    "controls": controls,
    "exits": exits,
    "files": files,
    "headers": headers,
    "helping": helping,
    "labels": labels,
    "limits": limits,
    "lint": lint,
    "nights": nights,
    "noticed": noticed,
    "outcomes": outcomes,
    "packages": packages,
    "problems": problems,
    "repeats": repeats,
    "schemas": schemas,
    "settings": settings,
    "sheets": sheets,
    "standing": standing,
    "steps": steps,
    "stories": stories,
    "texts": texts,
    "usage": usage,
}
