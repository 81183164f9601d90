-- Addresses (and refs) that must not be mailed again, and the feed of every change.

CREATE TABLE suppression_policy (
    class smallint PRIMARY KEY,
    threshold smallint NOT NULL CHECK (threshold >= 0),
    window_s integer NOT NULL CHECK (window_s >= 0),
    distinct_days smallint NOT NULL DEFAULT 1 CHECK (distinct_days >= 1),
    expires_s integer CHECK (expires_s > 0)
);
COMMENT ON TABLE suppression_policy IS 'After how many proven permanent failures of a class an address is suppressed';
COMMENT ON COLUMN suppression_policy.class IS 'class.id';
COMMENT ON COLUMN suppression_policy.threshold IS '0 never, 1 at once, N after N records within the window';
COMMENT ON COLUMN suppression_policy.window_s IS 'Seconds the records may lie apart; 0 where threshold is below 2';
COMMENT ON COLUMN suppression_policy.distinct_days IS 'Different UTC days the records must lie on';
COMMENT ON COLUMN suppression_policy.expires_s IS 'Seconds until the entry is lifted by itself; NULL never';
INSERT INTO suppression_policy (class, threshold, window_s, distinct_days, expires_s) VALUES
    (1, 1, 0, 1, NULL),
    (2, 2, 1209600, 1, NULL),
    (3, 2, 2592000, 2, NULL),
    (4, 5, 2592000, 1, 7776000),
    (13, 3, 5184000, 1, NULL),
    (15, 1, 0, 1, NULL);

CREATE TABLE suppression (
    address_hash bytea PRIMARY KEY CHECK (octet_length(address_hash) = 32),
    address text,
    campaign_id bigint,
    ref text,
    class smallint NOT NULL DEFAULT 0,
    evidence smallint NOT NULL DEFAULT 0,
    source smallint NOT NULL,
    pending boolean NOT NULL DEFAULT false,
    status_ids bigint[] NOT NULL DEFAULT '{}',
    note text,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    CHECK (address IS NULL OR ref IS NULL)
);
COMMENT ON TABLE suppression IS 'Addresses not to be mailed now; what was lifted lives on in suppression_change only';
COMMENT ON COLUMN suppression.address_hash IS 'SHA-256 of the address, ASCII letters lower-cased; of "campaign key/ref" for an entry that names a ref only';
COMMENT ON COLUMN suppression.address IS 'The address; NULL for a ref, and after erasure';
COMMENT ON COLUMN suppression.campaign_id IS 'Campaign of the ref, or of the first record; NULL when set by hand';
COMMENT ON COLUMN suppression.ref IS 'The ref, where the evidence names no address; else NULL';
COMMENT ON COLUMN suppression.class IS 'class.id of the cause; 0 when set by hand';
COMMENT ON COLUMN suppression.evidence IS 'Evidence of the first record: 1 matched, 2 signed_other, 3 signed_ref, 4 signed; 0 by hand';
COMMENT ON COLUMN suppression.source IS '1 policy, 2 API, 3 import';
COMMENT ON COLUMN suppression.pending IS 'Held for a person to release or drop; does not suppress yet';
COMMENT ON COLUMN suppression.status_ids IS 'status.id of the records behind it';
COMMENT ON COLUMN suppression.note IS 'Text given by hand';
COMMENT ON COLUMN suppression.created_at IS 'Since when';
COMMENT ON COLUMN suppression.expires_at IS 'When it ends by itself; NULL never';
CREATE INDEX suppression_expiry ON suppression (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX suppression_created ON suppression (created_at, address_hash);

-- One row whose lock is held to commit, so that numbers become visible in their order and no reader
-- ever sees a gap that a later commit fills. A sequence could promise neither.
CREATE TABLE suppression_clock (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq bigint NOT NULL
) WITH (fillfactor = 10);
COMMENT ON TABLE suppression_clock IS 'The last number given to a suppression change';
COMMENT ON COLUMN suppression_clock.one IS 'There is one row';
COMMENT ON COLUMN suppression_clock.seq IS 'suppression_change.seq of the newest change';
INSERT INTO suppression_clock (seq) VALUES (0);

CREATE TABLE suppression_change (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    op smallint NOT NULL CHECK (op BETWEEN 1 AND 4),
    class smallint NOT NULL DEFAULT 0,
    address_hash bytea NOT NULL,
    address text,
    campaign_id bigint,
    ref text,
    expires_at timestamptz,
    status_ids bigint[] NOT NULL DEFAULT '{}',
    source smallint NOT NULL,
    note text
);
COMMENT ON TABLE suppression_change IS 'Every change of the suppression list in order, for those who mirror it, and as audit trail';
COMMENT ON COLUMN suppression_change.seq IS 'Ascends by one in order of commit';
COMMENT ON COLUMN suppression_change.at IS 'When';
COMMENT ON COLUMN suppression_change.op IS '1 add, 2 lift, 3 expire, 4 erase';
COMMENT ON COLUMN suppression_change.class IS 'class.id of the cause; 0 by hand';
COMMENT ON COLUMN suppression_change.address_hash IS 'suppression.address_hash';
COMMENT ON COLUMN suppression_change.address IS 'The address; NULL for a ref, and after erasure';
COMMENT ON COLUMN suppression_change.campaign_id IS 'Campaign of a ref';
COMMENT ON COLUMN suppression_change.ref IS 'The ref, where no address is named';
COMMENT ON COLUMN suppression_change.expires_at IS 'When an added entry ends by itself';
COMMENT ON COLUMN suppression_change.status_ids IS 'Records behind an added entry';
COMMENT ON COLUMN suppression_change.source IS '1 policy, 2 API, 3 import';
COMMENT ON COLUMN suppression_change.note IS 'Text given by hand';
CREATE INDEX suppression_change_address ON suppression_change (address_hash, seq);

-- The only way to number changes: rows become changes with consecutive numbers, in hash order.
CREATE FUNCTION suppression_log(op smallint, source smallint, note text, entries suppression[])
    RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint := coalesce(array_length(entries, 1), 0);
    last bigint;
BEGIN
    IF n = 0 THEN
        RETURN 0;
    END IF;
    UPDATE suppression_clock SET seq = suppression_clock.seq + n RETURNING suppression_clock.seq INTO last;
    INSERT INTO suppression_change (seq, op, class, address_hash, address, campaign_id, ref,
                                    expires_at, status_ids, source, note)
        SELECT last - n + row_number() OVER (ORDER BY e.address_hash), suppression_log.op, e.class,
               e.address_hash, e.address, e.campaign_id, e.ref, e.expires_at, e.status_ids,
               suppression_log.source, suppression_log.note
        FROM unnest(entries) e;
    RETURN n;
END $$;
COMMENT ON FUNCTION suppression_log(smallint, smallint, text, suppression[]) IS
    'Append one change an entry to the feed and return their number; takes the feed''s lock until commit';
