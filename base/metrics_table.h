/*
 * Every metric there is: id, name, labels, type, text. Rows of one name stand together.
 */
#ifndef DSND_BASE_METRICS_TABLE_H
#define DSND_BASE_METRICS_TABLE_H

/* clang-format off */
#define METRICS_TABLE(X) \
    X(SMTP_CONNECTIONS, "dsnd_smtp_connections_total", "", "counter", "SMTP connections accepted.") \
    X(SMTP_SESSIONS, "dsnd_smtp_sessions", "", "gauge", "SMTP sessions open now.") \
    X(SMTP_REFUSED_CLIENT, "dsnd_smtp_connections_refused_total", "reason=\"per_client\"", "counter", "SMTP connections refused or evicted, by reason.") \
    X(SMTP_REFUSED_FULL, "dsnd_smtp_connections_refused_total", "reason=\"full\"", "counter", "") \
    X(SMTP_REFUSED_RATE, "dsnd_smtp_connections_refused_total", "reason=\"client_rate\"", "counter", "") \
    X(SMTP_EVICTED, "dsnd_smtp_connections_refused_total", "reason=\"evicted_idle\"", "counter", "") \
    X(SMTP_EVICTED_MEMORY, "dsnd_smtp_connections_refused_total", "reason=\"evicted_memory\"", "counter", "") \
    X(SMTP_MEMORY, "dsnd_smtp_memory_octets", "", "gauge", "Octets of mail in progress, of at most smtp.memory.") \
    X(SMTP_ACCEPT_PAUSED, "dsnd_smtp_accept_paused_total", "", "counter", "Times accepting stopped for want of descriptors or memory.") \
    X(SMTP_MESSAGES, "dsnd_smtp_messages_total", "", "counter", "Messages answered with 250 after they were durable.") \
    X(SMTP_OCTETS, "dsnd_smtp_message_octets_total", "", "counter", "Octets of those messages.") \
    X(SMTP_REJECT_SYNTAX, "dsnd_smtp_rejects_total", "reason=\"syntax\"", "counter", "Commands and messages refused, by reason.") \
    X(SMTP_REJECT_SEQUENCE, "dsnd_smtp_rejects_total", "reason=\"sequence\"", "counter", "") \
    X(SMTP_REJECT_RELAY, "dsnd_smtp_rejects_total", "reason=\"relay\"", "counter", "") \
    X(SMTP_REJECT_UNSIGNED, "dsnd_smtp_rejects_total", "reason=\"unsigned\"", "counter", "") \
    X(SMTP_REJECT_FORGED, "dsnd_smtp_rejects_total", "reason=\"forged\"", "counter", "") \
    X(SMTP_REJECT_EXPIRED, "dsnd_smtp_rejects_total", "reason=\"expired\"", "counter", "") \
    X(SMTP_REJECT_SIZE, "dsnd_smtp_rejects_total", "reason=\"size\"", "counter", "") \
    X(SMTP_REJECT_BARE_NEWLINE, "dsnd_smtp_rejects_total", "reason=\"bare_newline\"", "counter", "") \
    X(SMTP_REJECT_NOTIFY, "dsnd_smtp_rejects_total", "reason=\"notify_success\"", "counter", "") \
    X(SMTP_REJECT_DISK, "dsnd_smtp_rejects_total", "reason=\"disk\"", "counter", "") \
    X(SMTP_REJECT_JOURNAL, "dsnd_smtp_rejects_total", "reason=\"journal\"", "counter", "") \
    X(SMTP_REJECT_MEMORY, "dsnd_smtp_rejects_total", "reason=\"memory\"", "counter", "") \
    X(SMTP_REJECT_RATE, "dsnd_smtp_rejects_total", "reason=\"message_rate\"", "counter", "") \
    X(SMTP_REJECT_AUTH, "dsnd_smtp_rejects_total", "reason=\"auth\"", "counter", "") \
    X(SMTP_REJECT_ERRORS, "dsnd_smtp_rejects_total", "reason=\"too_many_errors\"", "counter", "") \
    X(SMTP_REJECT_RECIPIENTS, "dsnd_smtp_rejects_total", "reason=\"too_many_recipients\"", "counter", "") \
    X(SMTP_REJECT_HOPS, "dsnd_smtp_rejects_total", "reason=\"loop\"", "counter", "") \
    X(SMTP_REJECT_FOREIGN, "dsnd_smtp_rejects_total", "reason=\"not_smtp\"", "counter", "") \
    X(SMTP_REJECT_NOT_TLS, "dsnd_smtp_rejects_total", "reason=\"not_tls\"", "counter", "") \
    X(SMTP_REJECT_EARLY, "dsnd_smtp_rejects_total", "reason=\"early_talker\"", "counter", "") \
    X(SMTP_REJECT_OTHER, "dsnd_smtp_rejects_total", "reason=\"other\"", "counter", "") \
    X(SMTP_ABORTED, "dsnd_smtp_sessions_aborted_total", "", "counter", "Sessions lost inside a transaction.") \
    X(SMTP_TIMEOUTS, "dsnd_smtp_timeouts_total", "", "counter", "Sessions ended by a deadline.") \
    X(SMTP_TLS, "dsnd_smtp_tls_handshakes_total", "result=\"ok\"", "counter", "TLS handshakes, by result.") \
    X(SMTP_TLS_FAILED, "dsnd_smtp_tls_handshakes_total", "result=\"failed\"", "counter", "") \
    X(TLS_NOT_AFTER, "dsnd_tls_certificate_not_after_seconds", "", "gauge", "When the certificate expires, seconds since 1970.") \
    X(JOURNAL_RECORDS, "dsnd_journal_records_total", "", "counter", "Records made durable.") \
    X(JOURNAL_OCTETS, "dsnd_journal_octets_total", "", "counter", "Octets of those records.") \
    X(JOURNAL_SYNCS, "dsnd_journal_syncs_total", "", "counter", "Calls of fdatasync on a segment.") \
    X(JOURNAL_ERRORS, "dsnd_journal_errors_total", "", "counter", "Writes or syncs of the journal that failed.") \
    X(JOURNAL_CORRUPT, "dsnd_journal_corrupt_total", "", "counter", "Records skipped for a bad checksum or framing.") \
    X(JOURNAL_FREE, "dsnd_journal_free_octets", "", "gauge", "Octets free where the journal lies.") \
    X(JOURNAL_FULL, "dsnd_journal_full", "", "gauge", "1 while no more than journal.min_free is left and mail is deferred.") \
    X(JOURNAL_BACKLOG, "dsnd_journal_backlog_octets", "", "gauge", "Octets durable but not yet stored in PostgreSQL.") \
    X(JOURNAL_BACKLOG_AGE, "dsnd_journal_backlog_oldest_seconds", "", "gauge", "Age of the oldest record not yet stored.") \
    X(PIPELINE_MESSAGES, "dsnd_pipeline_messages_total", "", "counter", "Journal records stored in PostgreSQL.") \
    X(PIPELINE_STATUSES, "dsnd_pipeline_statuses_total", "", "counter", "Status records stored in PostgreSQL.") \
    X(PIPELINE_DUPLICATES, "dsnd_pipeline_duplicates_total", "", "counter", "Reports that had been received before and changed no count.") \
    X(PIPELINE_BATCHES, "dsnd_pipeline_batches_total", "", "counter", "Transactions committed.") \
    X(PIPELINE_RETRIES, "dsnd_pipeline_retries_total", "", "counter", "Transactions repeated after a lost connection or a serialization failure.") \
    X(PIPELINE_QUARANTINED, "dsnd_pipeline_quarantined_total", "", "counter", "Messages set aside with their raw octets.") \
    X(PIPELINE_PARSER_KILLED, "dsnd_pipeline_parser_killed_total", "", "counter", "Starts that found a message on which the parser had died.") \
    X(INCIDENTS_REPUTATION, "dsnd_incidents_open", "class=\"reputation_block\"", "gauge", "Incidents open now, by class.") \
    X(INCIDENTS_AUTH, "dsnd_incidents_open", "class=\"auth_failure\"", "gauge", "") \
    X(INCIDENTS_CONTENT, "dsnd_incidents_open", "class=\"content_block\"", "gauge", "") \
    X(PG_UP, "dsnd_pg_up", "", "gauge", "1 when the pipeline's last call of PostgreSQL succeeded.") \
    X(HTTP_2XX, "dsnd_http_requests_total", "status=\"2xx\"", "counter", "HTTP requests answered, by status class.") \
    X(HTTP_3XX, "dsnd_http_requests_total", "status=\"3xx\"", "counter", "") \
    X(HTTP_4XX, "dsnd_http_requests_total", "status=\"4xx\"", "counter", "") \
    X(HTTP_5XX, "dsnd_http_requests_total", "status=\"5xx\"", "counter", "") \
    X(RECEIPTS_SENT, "dsnd_receipts_total", "result=\"sent\"", "counter", "Receipts for delivered mail, by what became of them.") \
    X(RECEIPTS_REFUSED, "dsnd_receipts_total", "result=\"refused\"", "counter", "") \
    X(RECEIPTS_GIVEN_UP, "dsnd_receipts_total", "result=\"given_up\"", "counter", "") \
    X(RECEIPTS_FAILED, "dsnd_receipt_attempts_failed_total", "", "counter", "Attempts to hand a receipt to the relay that failed.") \
    X(RECEIPTS_WAITING, "dsnd_receipts_waiting", "", "gauge", "Receipts that wait for the relay.") \
    X(WEBHOOK_DELIVERED, "dsnd_webhook_events_total", "result=\"delivered\"", "counter", "Events for webhooks, by what became of them.") \
    X(WEBHOOK_GIVEN_UP, "dsnd_webhook_events_total", "result=\"given_up\"", "counter", "") \
    X(WEBHOOK_FAILED, "dsnd_webhook_attempts_failed_total", "", "counter", "Attempts to reach an endpoint that failed.") \
    X(WEBHOOK_WAITING, "dsnd_webhook_events_waiting", "", "gauge", "Events that wait for their endpoint.") \
    X(WEBHOOK_DEAD, "dsnd_webhook_events_dead", "", "gauge", "Events given up and kept for replay.") \
    X(LOOKUP_CONNECTIONS, "dsnd_lookup_connections", "", "gauge", "Connections of mail servers to the lookup listener.") \
    X(LOOKUP_SUPPRESSED, "dsnd_lookups_total", "result=\"suppressed\"", "counter", "Lookups of mail servers answered, by result.") \
    X(LOOKUP_CLEAR, "dsnd_lookups_total", "result=\"clear\"", "counter", "") \
    X(LOOKUP_AWAY, "dsnd_lookups_total", "result=\"away\"", "counter", "") \
    X(LOOKUP_REFUSED, "dsnd_lookups_total", "result=\"refused\"", "counter", "") \
    X(RESTARTS, "dsnd_process_restarts_total", "", "counter", "Child processes the supervisor started again.") \
    X(RELOAD_FAILED, "dsnd_config_reload_failed_total", "", "counter", "Reloads refused; what was in force stayed.") \
    X(LOG_DROPPED, "dsnd_log_dropped_total", "", "counter", "Log lines dropped because their descriptor was blocked.")
/* clang-format on */

#endif
