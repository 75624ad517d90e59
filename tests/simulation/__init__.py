"""Belief through simulation: one process, one seed, virtual time, a gateway and a disk that fail in
every known way.

disk      the journal's files: writes that were not synced are lost or torn when the power goes
weather   which fault befalls which request, in bursts and combinations
ledger    the gateway's truth: every request and every charge
shares    what becomes of the recipients' shares
door      the Gateway port of one process
process   one run of the program: the true lock, journal, books, line and loop
exports   the same orders come again, under the ids of another column
people    what people say between the runs, by the true commands
story     what happens in one seed: runs, deaths, restores, other machines, people
checker   the invariants, counted again from the ledger and the journal's events

`python -m tests.simulation --seed N` replays one seed; `make simulate SEEDS=20000` runs many.
"""
