-- The journal. Append-only: the state of a charge is what its events add up to (model.Event, lifecycle.fold).
--
--   run.started       a process begins to work on a job
--   restored          the journal is older than it has been: what it lost is looked for at the gateway
--   listing           the gateway's charges were listed completely, up to a bound (law L11)
--   batch.planned     the rows of a file were read and judged; the rows themselves are in row_chunks
--   intent            a request will be sent: durable before its first byte (law L1)
--   voided            ... and was not, because its intent had gone stale (law L2); no byte left
--   answer            what came back and what it proves (lifecycle.verdict)
--   found, absent     what a look-up showed
--   resolved          a person's word on an attempt in doubt or held, after a look-up
--   cancelled         a person's word that an order is never to be sent
--   adopted           a charge of this job that this journal did not make
--   throttle.distrusted  a charge stood behind a 429: from now on a 429 proves nothing
--   stop, lifted      nothing is sent between the two (law L10)
--   preflight         recipients that cannot be paid now: their orders are held
--   held              why the unsent rows of a batch were not sent
--   probe.started, probe  test charges were made to learn what the gateway does, and what they showed
--   audit             journal and gateway were matched over a period
--   totals            where the rows of a batch stand; what a report was written from
--   run.finished      with its exit code

CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

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
CREATE INDEX events_of_an_order ON events (job, order_id) WHERE order_id <> '';
CREATE INDEX events_of_a_kind ON events (job, kind) WHERE order_id = '';
CREATE INDEX events_of_a_batch ON events (job, batch_id, seq) WHERE batch_id <> '';
CREATE INDEX rows_with_an_intent ON events (job, batch_id, "row") WHERE kind IN ('intent', 'adopted') AND send <= 1;
CREATE INDEX alike_orders ON events (job, json_extract(data, '$.intent.alike')) WHERE kind = 'intent' AND send = 1;

CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- Law L3: one open attempt per order. A row enters with the first intent and goes with the proof that the attempt
-- took no money; it stays, as succeeded, when the attempt did.
CREATE TABLE open_attempts (
    job      TEXT NOT NULL,
    order_id TEXT NOT NULL,
    attempt  INTEGER NOT NULL,
    state    TEXT NOT NULL,         -- the attempt's outcome; only a held one may be sent again
    PRIMARY KEY (job, order_id)
) WITHOUT ROWID;
CREATE INDEX unsettled ON open_attempts (job) WHERE state <> 'succeeded';

-- The rows of each batch as last planned: what reports need, so that no input file is read twice.
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
