-- Addresses as URLs, xtext (RFC 3461) and quoted-printable write them are erased too. As before, with
-- "@" and "+" in digits; what stands in digits before an address and ends no word is taken with it,
-- because looking back at it takes three times as long.
CREATE OR REPLACE FUNCTION erasure_pattern(address text, who_ref text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN '(?:(?<![a-z0-9._%+-])|[%=](?:2[0268cf]|3[acdf]))' ||
           replace(replace(regexp_replace(regexp_replace(lower(address COLLATE "C"),
               '([^a-z0-9@])', '\\\1', 'g'), '(\\["\\])+', '["\\\\]+', 'g'),
               '\+', '(?:\+|[%+=]2b)'), '@', '(?:[@=]|[%+=]40)') ||
           '(?![a-z0-9_-]|\.[a-z0-9])' || CASE WHEN who_ref <> '' THEN '|' || who_ref ELSE '' END;
