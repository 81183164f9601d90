CREATE OR REPLACE FUNCTION erasure_pattern(address text, who_ref text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN '(?<![a-z0-9._%+-])' ||
           replace(regexp_replace(regexp_replace(lower(address COLLATE "C"),
               '([^a-z0-9@])', '\\\1', 'g'), '(\\["\\])+', '["\\\\]+', 'g'), '@', '[@=]') ||
           '(?![a-z0-9_-]|\.[a-z0-9])' || CASE WHEN who_ref <> '' THEN '|' || who_ref ELSE '' END;
