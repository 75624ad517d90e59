"""The life of one charge, pure: what a row is, what may become of it, what an answer proves.

To be read in this order. One request and what comes back:

request    an order -> the exact body of an attempt, and what its answer must agree with
keys       its Idempotency-Key; whose a charge is by it
places     what batches and rows are called
payers     who pays, and the digest of all that a row asks for
charge     what the gateway shows of a charge; is it the one that was asked for?
proof      what an answer proves
doubt      when it is proven that nothing was charged
listing    when a list of charges is complete
attempt    one try at a charge, and what it says
folding    what each event makes of it
paid       which charges took an order's money
after      where a recipient's share is

Which rows and charges are one sale:

order_ids  ids that look alike
terms      do two ask for the same: whose money, how much, for whom?
sale_terms the same as a text, by which a journal finds them
ancestry   the rows that a correction goes back to
rivals     rows of one file under one id that contradict each other
names      the other ids of a sale
earlier    what a journal keeps of earlier rows
cancelled  a person's words that orders are never sent
kinship    all of it, from a journal's
unclaimed  charges that nothing tells whose they are
elsewhere  what another job charged of a sale of this one

What a row is:

rows       what goes into the decision, and what comes out of it
sales      which attempts are of a row's own sale
holds      what keeps back a row that may go otherwise
standing   the decision
"""
