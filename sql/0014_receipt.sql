-- Receipts for delivered mail (RFC 3461, NOTIFY=SUCCESS) that wait for the relay. A receipt becomes a
-- row in the transaction that stores the mail, and the row goes when the relay has taken it.

CREATE TABLE receipt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    journal_id bigint NOT NULL,
    sequence bigint NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    recipient text NOT NULL,
    message bytea NOT NULL,
    next_at timestamptz NOT NULL DEFAULT now(),
    failures integer NOT NULL DEFAULT 0,
    last_error text,
    UNIQUE (journal_id, sequence)
);
CREATE INDEX receipt_next_at ON receipt (next_at, id);
COMMENT ON TABLE receipt IS 'Receipts for delivered mail that wait for the relay';
COMMENT ON COLUMN receipt.id IS 'Number';
COMMENT ON COLUMN receipt.journal_id IS 'journal_position.id of the mail';
COMMENT ON COLUMN receipt.sequence IS 'Sequence of the mail in that journal';
COMMENT ON COLUMN receipt.made_at IS 'When it was made';
COMMENT ON COLUMN receipt.recipient IS 'To whom it goes: the envelope sender of the mail';
COMMENT ON COLUMN receipt.message IS 'The receipt as it is sent';
COMMENT ON COLUMN receipt.next_at IS 'Not to be tried before';
COMMENT ON COLUMN receipt.failures IS 'Attempts that failed';
COMMENT ON COLUMN receipt.last_error IS 'Why the last attempt failed; NULL before the first';
