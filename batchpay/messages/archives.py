"""ARCHIVES: what is told of the files of finished batches."""

from __future__ import annotations

from batchpay.messages.message import entry

STOPPED = entry(
    "archive-stopped",
    "a stop is in force, and nothing is archived until a person has lifted it: {why}",
    means="While something does not add up, everything stays as it lies.",
    example="a charge that does not prove what was asked",
    remedy="See to the stop, and lift it; then run the same command again.",
)
AT_WORK = entry(
    "archive-later",
    "{path}: another job's run is under way in this journal ({holder}): run again when it has"
    " ended",
    means="A batch is archived while no run of any job in the same journal is at work.",
    example="two jobs with the same [state] url, one of which runs",
    remedy="Run the same command again later.",
)
OTHER_VERSION = entry(
    "journal-version.later",
    "{path}: this journal is of an earlier version and another job's run is under way in it"
    " ({holder}); it is brought to today's version when that has ended: run again later",
    means="A journal is brought to a new version while no run of any job in it is at work.",
    example="two jobs with the same [state] url, one of which runs in an earlier version",
    remedy="Run the same command again later.",
)
NOT_COUNTED = entry(
    "archive-not.counted",
    "its reports are older than what happened to it: batchpay report JOB {batch:word}",
    means="A batch is archived as its reports tell it.",
    example="a run that was killed before it wrote its reports",
    remedy="Write its reports again; then run the same command again.",
)
OPEN_ROWS = entry(
    "archive-not.open",
    "{rows} of its rows are open ({what})",
    one="{rows} of its rows is open ({what})",
    count="rows",
    means="A row may still be sent, or its charge may still change.",
    example="an order in doubt",
    remedy="Let batchpay settle ask, or settle the order by hand: batchpay status JOB.",
)
MOVING = entry(
    "archive-not.transfers",
    "{rows} transfers to recipients are on their way",
    one="{rows} transfer to a recipient is on its way",
    count="rows",
    means="The transfers of a charge are followed until they have arrived, or are given up.",
    example="a charge of last week whose recipient's bank has not told yet",
    remedy="Let batchpay settle ask, or choose an earlier day.",
)
A_PERSONS = entry(
    "archive-not.person",
    "money moved otherwise than was asked, and nobody has said yet that it is seen to",
    means="A second charge, a charge that the gateway no longer knows, or a transfer that is not"
    " the recipient's share waits for a person's word.",
    example="an order that was charged twice",
    remedy="batchpay status JOB names the order and the command.",
)
DISPUTED = entry(
    "archive-not.disputed",
    "the gateway waits for an answer to a payer's bank",
    means="A dispute of one of its charges is open.",
    example="a payer who says that they did not order",
    remedy="Answer it at the gateway, then let batchpay settle ask.",
)
REPORTS_DIFFER = entry(
    "archive-not.reports",
    "{path} is not what its manifest says: batchpay verify JOB {batch:word}",
    means="Reports go into the archive as they were written, or not at all.",
    example="a report that was edited",
    remedy="batchpay verify JOB tells what differs; batchpay report JOB writes them again.",
)
NOT_WRITTEN = entry(
    "archive-not.written",
    "{path}: the archive cannot be written: {why}; nothing of this batch was packed: make room, or"
    " name another folder with --to, and run again",
    means="The disk takes no file of that name.",
    example="a full disk",
    remedy="Make room there, or name another folder; then run the same command again.",
)
IS_OTHER = entry(
    "archive-not.other",
    "{path}: is there already, or was just read back, and is not the archive of this batch: look"
    " what it is, move it away, and run again; nothing of this batch was packed",
    means="No file is written over, and no archive counts that cannot be read back.",
    example="an archive in which a bit has flipped",
    remedy="Move the file away; check the disk; run the same command again.",
)
BEFORE = entry(
    "archive-not.day",
    "it changed last on {day}",
    means="Only batches are archived of which nothing changed since the day that was given.",
    example="batchpay archive JOB --before 2026-11-01, and a batch of November",
    remedy="Choose a later day, if you want it archived.",
)
ALREADY = entry(
    "archive-not.again",
    "it was archived as {file}",
    means="Nothing happened to the batch since it was archived.",
    example="the same command once more",
    remedy="There is nothing to do.",
)
MISSING = entry(
    "archive-missing",
    "{file} (SHA-256 {sha256}), the archive of batch {batch}, is not in {folder}: put it there to"
    " have it verified; everything in it is in the journal, too",
    means="An archive may lie elsewhere: nothing but `verify` reads it.",
    example="archives that were moved to another disk",
    remedy="Put the file there, or leave it where it is.",
)
CHANGED = entry(
    "archive-changed",
    "was changed: its SHA-256 is {found}, the journal says {sha256}",
    means="An archive is no longer what batchpay wrote and read back.",
    example="an archive in which a bit has flipped",
    remedy="Take it from a good copy. Everything in it is in the journal, too.",
)
