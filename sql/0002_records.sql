-- What was sent and what came back.
--
-- A record's id is day << 38 | counter, where day is the UTC day of receipt counted from 2020-01-01.
-- So ids ascend with time, range partitions by id are partitions by day, and a lookup by id alone
-- touches one partition. Ids stay below 2^53 until 2109, exact in any JSON reader.

CREATE SEQUENCE record_seq AS bigint MINVALUE 0 MAXVALUE 274877906943 CYCLE;
COMMENT ON SEQUENCE record_seq IS 'The low 38 bits of the ids of reports and statuses';

CREATE FUNCTION record_floor(day date) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (day - DATE '2020-01-01')::bigint << 38;
COMMENT ON FUNCTION record_floor(date) IS 'The smallest id of a record received on this UTC day or later';

CREATE TABLE send (
    campaign_id bigint NOT NULL,
    ref text NOT NULL,
    recipient text,
    recipient_key bigint,
    message_id text,
    envelope_id text,
    provider text NOT NULL DEFAULT '',
    sent_at timestamptz NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign_id, ref)
);
COMMENT ON TABLE send IS 'Messages the sender registered: who a ref is, and which Message-ID went to whom';
COMMENT ON COLUMN send.campaign_id IS 'Campaign';
COMMENT ON COLUMN send.ref IS 'Names the recipient within the campaign: the sender''s own id or the default ref of the address';
COMMENT ON COLUMN send.recipient IS 'Address; NULL when only the ref was given';
COMMENT ON COLUMN send.recipient_key IS 'First 8 octets of SHA-256 of the lower-cased address';
COMMENT ON COLUMN send.message_id IS 'Message-ID without < and >';
COMMENT ON COLUMN send.envelope_id IS 'ENVID given to the MTA (RFC 3461)';
COMMENT ON COLUMN send.provider IS 'Provider family of the recipient''s domain; empty when unknown';
COMMENT ON COLUMN send.sent_at IS 'When it was sent';
COMMENT ON COLUMN send.registered_at IS 'When it was registered here';
CREATE INDEX send_message_id ON send (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX send_envelope_id ON send (envelope_id) WHERE envelope_id IS NOT NULL;
CREATE INDEX send_recipient ON send (recipient_key) WHERE recipient_key IS NOT NULL;

-- fillfactor: a delivery is updated as reports arrive; room on the page keeps that short.
CREATE TABLE delivery (
    campaign_id bigint NOT NULL,
    outcome_at timestamptz NOT NULL,
    status_id bigint NOT NULL,
    delayed_at timestamptz,
    delay_expired_at timestamptz,
    complained_at timestamptz,
    state smallint NOT NULL,
    class smallint NOT NULL,
    kind smallint NOT NULL,
    delayed_class smallint,
    ref text NOT NULL,
    provider text NOT NULL,
    delayed_provider text,
    complained_provider text,
    PRIMARY KEY (campaign_id, ref)
) WITH (fillfactor = 85);
COMMENT ON TABLE delivery IS 'One message to one recipient, in the strongest state any report gave it; made by its first report';
COMMENT ON COLUMN delivery.campaign_id IS 'Campaign; 0 unattributed';
COMMENT ON COLUMN delivery.outcome_at IS 'When the report arrived that decided state, class, kind and provider; where it is counted in total_hour';
COMMENT ON COLUMN delivery.status_id IS 'The status that decided';
COMMENT ON COLUMN delivery.delayed_at IS 'When the first delayed record arrived; NULL when never delayed';
COMMENT ON COLUMN delivery.delay_expired_at IS 'When an open delay was given up as older than the horizon; NULL while open or closed otherwise';
COMMENT ON COLUMN delivery.complained_at IS 'When the first complaint arrived; NULL when none did';
COMMENT ON COLUMN delivery.state IS '0 sent, 1 delayed, 2 handed_off, 3 delivered, 4 failed; the strongest reported wins';
COMMENT ON COLUMN delivery.class IS 'Class of the deciding record';
COMMENT ON COLUMN delivery.kind IS 'Of a failure: 1 hard, 2 soft, 3 block; else 0';
COMMENT ON COLUMN delivery.delayed_class IS 'Class of the first delayed record: where "delayed" is counted';
COMMENT ON COLUMN delivery.ref IS 'Recipient within the campaign as in the return path; begins with ":" where no return path and no address name it';
COMMENT ON COLUMN delivery.provider IS 'Provider family of the deciding record; empty when unknown';
COMMENT ON COLUMN delivery.delayed_provider IS 'Provider of the first delayed record';
COMMENT ON COLUMN delivery.complained_provider IS 'Provider of the first complaint';
-- For closing delays beyond the horizon; holds open delays only.
CREATE INDEX delivery_delay_open ON delivery (delayed_at) WHERE state = 1 AND delay_expired_at IS NULL;

CREATE TABLE report (
    id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    journal_id bigint NOT NULL,
    sequence bigint NOT NULL,
    content_hash uuid NOT NULL,
    octets integer NOT NULL,
    recipients integer NOT NULL,
    recipients_dropped integer NOT NULL,
    warnings integer NOT NULL,
    kind smallint NOT NULL,
    feedback smallint NOT NULL,
    attribution smallint NOT NULL,
    evidence smallint NOT NULL,
    source smallint NOT NULL,
    tls boolean NOT NULL,
    peer text,
    helo text,
    mail_from text,
    envelope_to text[] NOT NULL,
    smtp_envelope_id text,
    envelope_id text,
    reporting_mta text,
    arrival_date text,
    message_id text,
    subject text,
    from_address text,
    returned_message_id text,
    returned_to text,
    rules_version text NOT NULL,
    PRIMARY KEY (id, campaign_id)
) PARTITION BY RANGE (id);
COMMENT ON TABLE report IS 'One received message; a message received again within the duplicate window is counted in journal_position only';
COMMENT ON COLUMN report.id IS 'Day of receipt << 38 | counter';
COMMENT ON COLUMN report.campaign_id IS 'Campaign the report was attributed to; 0 none';
COMMENT ON COLUMN report.received_at IS 'When SMTP received it';
COMMENT ON COLUMN report.stored_at IS 'When it became rows';
COMMENT ON COLUMN report.journal_id IS 'journal_position.id of the journal that held it';
COMMENT ON COLUMN report.sequence IS 'Its sequence number in that journal';
COMMENT ON COLUMN report.content_hash IS 'What makes it the same report as another: see report_seen';
COMMENT ON COLUMN report.octets IS 'Size of the message as received';
COMMENT ON COLUMN report.recipients IS 'Recipients listed, each a status';
COMMENT ON COLUMN report.recipients_dropped IS 'Recipients beyond the parser''s limit, not listed';
COMMENT ON COLUMN report.warnings IS 'OR of enum report_warning: defects that did not stop the parse';
COMMENT ON COLUMN report.kind IS 'enum report_kind: 0 other, 1 dsn, 2 bounce_text, 3 arf, 4 mdn, 5 auto_reply';
COMMENT ON COLUMN report.feedback IS 'enum report_feedback of an ARF; 0 none';
COMMENT ON COLUMN report.attribution IS 'What named the campaign: 0 nothing, 1 envelope return path, 2 return path in the returned message, 3 envelope id, 4 header of the returned message, 5 Message-ID of a registered send';
COMMENT ON COLUMN report.evidence IS 'Strongest evidence of its statuses: 0 none, 1 matched, 2 signed_other, 3 signed_ref, 4 signed';
COMMENT ON COLUMN report.source IS 'enum journal_source: 1 smtp, 2 lmtp, 3 submission, 4 import';
COMMENT ON COLUMN report.tls IS 'The session was encrypted';
COMMENT ON COLUMN report.peer IS 'Address of the SMTP client';
COMMENT ON COLUMN report.helo IS 'Name the SMTP client gave';
COMMENT ON COLUMN report.mail_from IS 'Envelope sender; empty for <>';
COMMENT ON COLUMN report.envelope_to IS 'Envelope recipients';
COMMENT ON COLUMN report.smtp_envelope_id IS 'ENVID of the session that brought it';
COMMENT ON COLUMN report.envelope_id IS 'Original-Envelope-Id of the report';
COMMENT ON COLUMN report.reporting_mta IS 'Reporting-MTA';
COMMENT ON COLUMN report.arrival_date IS 'Arrival-Date as RFC 3339 in UTC; NULL where it could not be read';
COMMENT ON COLUMN report.message_id IS 'Message-ID of the report itself, without < and >';
COMMENT ON COLUMN report.subject IS 'Subject of the report itself';
COMMENT ON COLUMN report.from_address IS 'From address of the report itself';
COMMENT ON COLUMN report.returned_message_id IS 'Message-ID of the returned message, without < and >';
COMMENT ON COLUMN report.returned_to IS 'First To address of the returned message';
COMMENT ON COLUMN report.rules_version IS 'Version of the rule set that classified it';

CREATE TABLE report_raw (
    id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    octets integer NOT NULL,
    raw bytea NOT NULL,
    PRIMARY KEY (id, campaign_id)
) PARTITION BY RANGE (id);
-- zstd has been over it: PostgreSQL's own compression would cost time and gain nothing.
ALTER TABLE report_raw ALTER COLUMN raw SET STORAGE EXTERNAL;
COMMENT ON TABLE report_raw IS 'Octets of received messages, kept for a shorter time than what they said';
COMMENT ON COLUMN report_raw.id IS 'report.id';
COMMENT ON COLUMN report_raw.campaign_id IS 'report.campaign_id';
COMMENT ON COLUMN report_raw.octets IS 'Size before compression';
COMMENT ON COLUMN report_raw.raw IS 'The message, one zstd frame';

CREATE TABLE status (
    id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    report_id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    recipient_key bigint,
    retry_after_s integer,
    ordinal smallint NOT NULL,
    action smallint NOT NULL,
    class smallint NOT NULL,
    cause smallint NOT NULL,
    permanence smallint NOT NULL,
    fault smallint NOT NULL,
    evidence smallint NOT NULL,
    smtp_code smallint,
    ref text,
    recipient text,
    proven_recipient text,
    final_recipient text,
    original_recipient text,
    status text,
    smtp_status text,
    provider text NOT NULL DEFAULT '',
    remote_mta text,
    diagnostic text,
    will_retry_until text,
    rule text,
    matched text,
    rules_version text NOT NULL,
    blocklist text,
    PRIMARY KEY (id, campaign_id)
) PARTITION BY RANGE (id);
COMMENT ON TABLE status IS 'What one report says of one recipient, and what was made of it';
COMMENT ON COLUMN status.id IS 'Day of receipt << 38 | counter';
COMMENT ON COLUMN status.campaign_id IS 'report.campaign_id';
COMMENT ON COLUMN status.report_id IS 'report.id, of the same day';
COMMENT ON COLUMN status.received_at IS 'report.received_at';
COMMENT ON COLUMN status.recipient_key IS 'First 8 octets of SHA-256 of the lower-cased recipient; NULL when nobody is named';
COMMENT ON COLUMN status.retry_after_s IS 'Seconds the remote asked to wait; NULL when it did not say';
COMMENT ON COLUMN status.ordinal IS 'Place within the report, from 0';
COMMENT ON COLUMN status.action IS 'enum report_action: 0 none, 1 failed, 2 delayed, 3 delivered, 4 relayed, 5 expanded';
COMMENT ON COLUMN status.class IS 'class.id';
COMMENT ON COLUMN status.cause IS 'Of class expired: class.id of the last reply; else 0';
COMMENT ON COLUMN status.permanence IS '0 unknown, 1 transient, 2 permanent, as the remote said';
COMMENT ON COLUMN status.fault IS 'enum report_fault: 0 none, 1 recipient, 2 message, 3 sender, 4 network';
COMMENT ON COLUMN status.evidence IS '0 none, 1 matched, 2 signed_other, 3 signed_ref, 4 signed';
COMMENT ON COLUMN status.smtp_code IS 'Code of the remote reply; NULL when none was found';
COMMENT ON COLUMN status.ref IS 'Delivery within the campaign; NULL when none could be named';
COMMENT ON COLUMN status.recipient IS 'The address the sender used: Original-Recipient, else Final-Recipient, else what the text says';
COMMENT ON COLUMN status.proven_recipient IS 'The address the evidence proves, the only one that may be suppressed; NULL when it proves none';
COMMENT ON COLUMN status.final_recipient IS 'Final-Recipient without its type';
COMMENT ON COLUMN status.original_recipient IS 'Original-Recipient without its type';
COMMENT ON COLUMN status.status IS 'Enhanced status as reported';
COMMENT ON COLUMN status.smtp_status IS 'Enhanced status of the remote reply';
COMMENT ON COLUMN status.provider IS 'Provider family; empty when unknown';
COMMENT ON COLUMN status.remote_mta IS 'Remote-MTA';
COMMENT ON COLUMN status.diagnostic IS 'Diagnostic text, at most 4 KiB, control characters escaped';
COMMENT ON COLUMN status.will_retry_until IS 'Will-Retry-Until as reported';
COMMENT ON COLUMN status.rule IS 'Id of the rule that decided the class';
COMMENT ON COLUMN status.matched IS 'Text the rule matched';
COMMENT ON COLUMN status.rules_version IS 'Version of the rule set that decided';
COMMENT ON COLUMN status.blocklist IS 'Blocklist named in the text';
-- Both ascend with time, so new entries go to the right edge of few pages.
CREATE INDEX status_campaign ON status (campaign_id, id);
CREATE INDEX status_report ON status (report_id);
CREATE INDEX status_recipient ON status (recipient_key) WHERE recipient_key IS NOT NULL;

-- Partitioned by the day of storing: two copies stored at once then meet in one unique index,
-- whatever the days they were received on.
CREATE TABLE report_seen (
    hash uuid NOT NULL,
    stored_on date NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (hash, stored_on)
) PARTITION BY RANGE (stored_on);
COMMENT ON TABLE report_seen IS 'Reports stored lately: a sender that missed our 250 sends the same again (RFC 1047)';
COMMENT ON COLUMN report_seen.hash IS 'First 128 bits of SHA-256 over the message without trace fields, and its envelope recipients';
COMMENT ON COLUMN report_seen.stored_on IS 'UTC day of storing';
COMMENT ON COLUMN report_seen.received_at IS 'When SMTP received the first copy';

CREATE TABLE rule_hit (
    day date NOT NULL,
    campaign_id bigint NOT NULL,
    rule text NOT NULL,
    rules_version text NOT NULL,
    hits bigint NOT NULL,
    PRIMARY KEY (campaign_id, day, rule, rules_version)
) PARTITION BY RANGE (day);
COMMENT ON TABLE rule_hit IS 'How often each classification rule decided';
COMMENT ON COLUMN rule_hit.day IS 'UTC day of receipt';
COMMENT ON COLUMN rule_hit.campaign_id IS 'Campaign; 0 unattributed';
COMMENT ON COLUMN rule_hit.rule IS 'Id of the rule';
COMMENT ON COLUMN rule_hit.rules_version IS 'Version of the rule set';
COMMENT ON COLUMN rule_hit.hits IS 'Statuses it decided';
