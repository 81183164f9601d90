-- Endpoints are told of no lift by an erasure, and changes that people made of many entries at once
-- have the notes of these.

-- As before, with the note of each entry that people added.
CREATE OR REPLACE FUNCTION suppression_log(op smallint, source smallint, note text,
                                           entries suppression[])
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
                                    expires_at, status_ids, source, note, actor)
        SELECT last - n + row_number() OVER (ORDER BY e.address_hash), suppression_log.op, e.class,
               e.address_hash, e.address, e.campaign_id, e.ref, e.expires_at, e.status_ids,
               suppression_log.source,
               coalesce(suppression_log.note, CASE WHEN suppression_log.op = 1 AND
                                                        suppression_log.source <> 1 THEN e.note END),
               nullif(current_setting('dsnd.actor', true), '')
        FROM unnest(entries) e;
    RETURN n;
END $$;

-- As before, but an erasure lifts nothing.
CREATE OR REPLACE FUNCTION webhook_suppression() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF webhook_wanted(96) THEN
        PERFORM webhook_emit(CASE f.op WHEN 1 THEN 32 ELSE 64 END,
                CASE f.op WHEN 1 THEN 'suppression.created' ELSE 'suppression.lifted' END,
                'suppression_' || f.seq, f.at, json_build_object('seq', f.seq,
                'address', f.address, 'ref', f.ref, 'class', l.name, 'expires_at', f.expires_at))
            FROM (SELECT * FROM fresh WHERE op <> 4 ORDER BY seq) f LEFT JOIN class l ON l.id = f.class;
    END IF;
    RETURN NULL;
END $$;
