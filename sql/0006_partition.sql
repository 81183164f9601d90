-- Partitions by UTC day, made ahead by maintenance and on demand by the writer.

-- A table is made apart and then attached: that locks the parent against other changes of its
-- definition only, where CREATE TABLE ... PARTITION OF would stop every reader and writer.
CREATE FUNCTION partition_make(parent text, day date, low text, high text) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    child text := parent || '_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF to_regclass(quote_ident(child)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING STORAGE)', child, parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                   parent, child, low, high);
    RETURN true;
END $$;
COMMENT ON FUNCTION partition_make(text, date, text, text) IS
    'Make one partition unless it exists; whether it was made';

CREATE FUNCTION partition_ensure(first_day date, last_day date) RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    d date;
    p text;
    made integer := 0;
BEGIN
    -- One maker at a time, or two would collide on the names.
    PERFORM pg_advisory_xact_lock(4920143, 2);
    FOR d IN SELECT g::date FROM generate_series(first_day, last_day, interval '1 day') g LOOP
        FOREACH p IN ARRAY ARRAY['report', 'report_raw', 'status'] LOOP
            made := made + partition_make(p, d, record_floor(d)::text, record_floor(d + 1)::text)::integer;
        END LOOP;
        FOREACH p IN ARRAY ARRAY['report_seen', 'rule_hit'] LOOP
            made := made + partition_make(p, d, quote_literal(d), quote_literal(d + 1))::integer;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;
COMMENT ON FUNCTION partition_ensure(date, date) IS
    'Make the partitions of all days from first_day to last_day; the number made';

CREATE FUNCTION partition_drop(parent text, before date) RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    child text;
    dropped integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(4920143, 2);
    FOR child IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = to_regclass(quote_ident(parent))
          AND c.relname ~ ('^' || parent || '_[0-9]{8}$')
          AND right(c.relname, 8)::date < before
        ORDER BY c.relname LOOP
        EXECUTE format('DROP TABLE %I', child);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
COMMENT ON FUNCTION partition_drop(text, date) IS
    'Drop the partitions of days before this one; the number dropped';
