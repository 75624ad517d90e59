-- The journal, version 10. Append-only: the state of a charge is what its events add up to (model.Event, folding.fold).
--
--   account           which account, mode and address this journal belongs to
--   run.started       a process begins to work on a job
--   restored          the journal is older than it has been: what it lost is looked for at the gateway
--   recovered         ... and that was done: after the wait the list was complete
--   listing           the gateway's charges were listed completely, up to a bound (law L11)
--   looked_again      what was sent again, or settled by a person, some nights ago was looked at once more
--   inputs            the batches whose files lay there when a run read them
--   ids               of which cells order ids are made from now on
--   batch.planned     the rows of a file were read and judged; the rows themselves are in row_chunks
--   intent            a request will be sent: durable before its first byte (law L1)
--   voided            ... and was not, because its intent had gone stale (law L2); no byte left
--   answer            what came back and what it proves (proof.verdict)
--   found, absent     what a look-up showed
--   resolved          a person's word on an attempt in doubt or held, after a look-up
--   cancelled         a person's word that an order is never to be sent
--   given_up          a person's word that rows which wait to be corrected are never to be sent
--   adopted           a charge of this job that this journal did not make
--   withdrawn         a held attempt that will never be sent; the next one may follow
--   missing           the gateway no longer knows a charge that is pending, or ended without money
--   unclear           a list shows a charge without a key that may be this attempt's
--   unreadable        a charge that may be any order's: nothing is sent before a person has told
--   disowned          a person's word that a charge is none of this job's
--   stray             a charge that kept its key and named no order: the order that makes this key is its own
--   nameless          charges without a key that fits, maybe of orders of the same terms, after a loss or a refusal
--   answered          rows whose correction turned out to be a duplicate: of which order
--   new_orders        a person's --yes, and which terms and adopted charges it is about (judging.said_new)
--   renamed           order ids that took the place of others that were sent (kinship.Lineages.other_names)
--   disbelieved       the 429 of a send, of a gateway that was seen to charge behind one: it proves nothing
--   untold            the charge of an earlier attempt, asked for by its id, was not shown
--   transfer          where the recipient's share of a charge is, when that was news
--   elsewhere         a charge of the same order id that another job made
--   throttle.distrusted  a charge stood behind a 429: from now on a 429 proves nothing
--   stop, lifted      nothing is sent between the two (law L10)
--   preflight         recipients that cannot be paid now: their orders are held
--   held              why the unsent rows of a batch were not sent
--   probe.started, probe  test charges were made to learn what the gateway does, and what they showed
--   audit             journal and gateway were matched over a period
--   refunded          what an audit or a run saw of money given back of a charge, when it was news
--   disputed          what a payer's bank says against a charge, when it was news
--   followed          how far a run asked about charges of before
--   noted             a person's word on one difference of an audit, as it was then
--   archived          a finished batch was written into a file of its own, and its events are packed (packed.py)
--   totals            where the rows of a batch stand; what a report was written from
--   run.counted       the run's work is done and counted; its reports follow
--   run.finished      with its exit code

CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- `data` is a JSON object in full, or what of it is not in a stencil; `run_id` is the run, or DEL and the number of an
-- earlier event that tells it; `digest` is 32 bytes, or, of before version 9, their 64 hexadecimal digits (plain_events).
CREATE TABLE events (
    seq      INTEGER PRIMARY KEY,
    job      TEXT NOT NULL,
    kind     TEXT NOT NULL,
    at_ns    INTEGER NOT NULL,
    run_id   TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    sheet    TEXT NOT NULL,
    "row"    INTEGER NOT NULL,
    order_id TEXT NOT NULL,
    attempt  INTEGER NOT NULL,
    send     INTEGER NOT NULL,
    data     TEXT NOT NULL,
    digest   TEXT NOT NULL          -- SHA-256 over the digest before it and this line
);

-- A second writer meets a conflict instead of a second payment.
CREATE UNIQUE INDEX one_intent_a_send ON events (job, order_id, attempt, send) WHERE kind IN ('intent', 'adopted');
CREATE INDEX events_of_an_order ON events (order_id, job) WHERE order_id <> '';
CREATE INDEX events_of_a_kind ON events (job, kind) WHERE kind NOT IN ('intent', 'answer', 'found', 'transfer');
CREATE INDEX events_of_a_batch ON events (job, batch_id) WHERE batch_id <> '';
CREATE INDEX charges_told_of ON events (
    CASE substr(data, 1, 1) WHEN '{' THEN json_extract(data, '$.charge.id') ELSE nullif(substr(data, 1, instr(data, char(127)) - 1), '') END
) WHERE kind IN ('answer', 'found', 'adopted', 'resolved') AND
    CASE substr(data, 1, 1) WHEN '{' THEN json_extract(data, '$.charge.id') ELSE nullif(substr(data, 1, instr(data, char(127)) - 1), '') END IS NOT NULL;

CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- What many events have in common (stencils.py). `data` of an event that does not begin with { is, between DEL characters:
-- the id of the charge that it tells of, or nothing; the number of its stencil; what stands in the holes.
CREATE TABLE stencils (
    id     INTEGER PRIMARY KEY,
    pieces TEXT NOT NULL            -- JSON: texts, and which part of `data` stands between them, the first being 0; -2: order_id, -1: row
);
CREATE TRIGGER stencils_stay BEFORE UPDATE ON stencils BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER stencils_remain BEFORE DELETE ON stencils BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- The events with their data in full, over which the chain is made: for whoever reads without our program.
CREATE VIEW plain_events AS SELECT seq, job, kind, at_ns,
    CASE substr(run_id, 1, 1) WHEN char(127) THEN (SELECT told.run_id FROM events AS told WHERE told.seq = CAST(substr(e.run_id, 2) AS INTEGER))
    ELSE run_id END AS run_id, batch_id, sheet, "row", order_id, attempt, send,
    CASE substr(data, 1, 1) WHEN '{' THEN data ELSE (
        SELECT group_concat(text, '') FROM (
            SELECT CASE WHEN typeof(piece.value) <> 'integer' THEN piece.value
                WHEN piece.value = -2 THEN e.order_id
                WHEN piece.value = -1 THEN e."row"
                ELSE json_extract('["' || replace(e.data, char(127), '","') || '"]', '$[' || piece.value || ']') END AS text
            FROM stencils, json_each(stencils.pieces) AS piece
            WHERE stencils.id = json_extract('["' || replace(e.data, char(127), '","') || '"]', '$[1]')
            ORDER BY piece.key))
    END AS data, CASE typeof(digest) WHEN 'blob' THEN lower(hex(digest)) ELSE digest END AS digest FROM events AS e;

-- Law L3: one open attempt per order (guard.follow). A row enters with the first intent and goes with the proof that the
-- attempt took no money; it stays, as succeeded, when the attempt did, and comes back when it did so after all.
CREATE TABLE open_attempts (
    job      TEXT NOT NULL,
    order_id TEXT NOT NULL,
    attempt  INTEGER NOT NULL,
    state    TEXT NOT NULL,         -- the attempt's outcome; only a held one may be sent again
    PRIMARY KEY (job, order_id)
) WITHOUT ROWID;
CREATE INDEX unsettled ON open_attempts (job) WHERE state <> 'succeeded';

-- What each attempt asked for (asked.py): derived from the event by which it began, and written with it.
CREATE TABLE asked (
    seq      INTEGER PRIMARY KEY,   -- of the first intent, or of the adopted event
    job      TEXT NOT NULL,
    order_id TEXT NOT NULL,
    attempt  INTEGER NOT NULL,
    at_ns    INTEGER NOT NULL,
    alike    TEXT NOT NULL,         -- order_ids.kept_as(order_id)
    terms    TEXT NOT NULL,         -- sale_terms.terms_of(payer, destination, amount, currency)
    corrects TEXT NOT NULL,         -- places.place_of the row that it came back for, or ''
    batch_id TEXT NOT NULL,
    sheet    TEXT NOT NULL,
    "row"    INTEGER NOT NULL,      -- 0: an adopted charge did not tell of which row it is
    amount   INTEGER NOT NULL,      -- smallest unit
    currency TEXT NOT NULL,
    destination TEXT NOT NULL,
    paid_with TEXT NOT NULL,        -- kind and last four characters of the payer
    run_id   TEXT,                  -- NULL: the event's own
    mode     TEXT NOT NULL,         -- test or live; empty where an earlier version did not keep it
    fee      INTEGER NOT NULL,      -- 1: a commission was asked for
    adopted  INTEGER NOT NULL       -- 1: this journal did not make it
);
CREATE INDEX asked_rows ON asked (job, batch_id, "row");
CREATE INDEX asked_alike ON asked (job, alike);
CREATE INDEX asked_terms ON asked (job, terms, at_ns);
CREATE INDEX asked_corrects ON asked (job, corrects) WHERE corrects <> '';

-- What came of each attempt (came_to.py): derived from the events of its order, and written with them. Reports show plain
-- ones from here; nothing is decided by it. Money in smallest units.
CREATE TABLE came_to (
    seq              INTEGER PRIMARY KEY,  -- of the event by which the attempt began, as in asked
    plain            INTEGER NOT NULL,     -- 1: it succeeded, and there is nothing to tell of how
    state            TEXT NOT NULL,
    settled_ns       INTEGER NOT NULL,
    charge_id        TEXT NOT NULL,
    chain            TEXT NOT NULL,
    transfer         TEXT NOT NULL,
    code             TEXT NOT NULL,        -- why it was refused, or failed
    amount           INTEGER,              -- what the gateway says it took; NULL: no money of this order moved
    currency         TEXT NOT NULL,
    fee              INTEGER,
    fee_vat          INTEGER,
    net              INTEGER,
    platform_fee     INTEGER,
    funding_amount   INTEGER,
    funding_currency TEXT NOT NULL,
    transfer_status  TEXT NOT NULL,        -- where the recipient's share is; empty: nobody knows
    transfer_amount  INTEGER,
    transfer_fee     INTEGER,
    bank_amount      INTEGER,
    transfer_sent_at TEXT NOT NULL,
    transfer_paid_at TEXT NOT NULL
);

-- The rows of each batch as last planned, and as they were for each report: what reports need, so that no input file is
-- read twice.
CREATE TABLE row_chunks (
    job        TEXT NOT NULL,
    batch_id   TEXT NOT NULL,
    generation TEXT NOT NULL,
    number     INTEGER NOT NULL,
    sheet      TEXT NOT NULL,
    first_row  INTEGER NOT NULL,
    last_row   INTEGER NOT NULL,
    judged     BLOB NOT NULL,        -- documents, problems and come-backs: JSON, compressed
    cells      BLOB NOT NULL,        -- every cell of the input: Arrow IPC, compressed
    PRIMARY KEY (job, batch_id, generation, number)
) WITHOUT ROWID;
