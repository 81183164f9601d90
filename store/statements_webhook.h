/*
 * Statements of webhooks: the outbox, the sender and the API. Rows X(id, sql). Private to store/.
 */
#ifndef DSND_STORE_STATEMENTS_WEBHOOK_H
#define DSND_STORE_STATEMENTS_WEBHOOK_H

/* clang-format off */
#define QUERY_WEBHOOK \
    "SELECT w.id::text, w.url, w.events::text, w.created_at::text," \
    " (SELECT count(*) FROM webhook_outbox o WHERE o.webhook_id = w.id)::text," \
    " (SELECT count(*) FROM webhook_dead d WHERE d.webhook_id = w.id)::text," \
    " w.delivered::text, w.failures::text, w.next_at::text, w.last_at::text," \
    " w.last_status::text, w.last_error, (w.disabled_at IS NULL)::text, w.disabled_reason," \
    " (CASE WHEN w.old_secret_until > now() THEN w.old_secret_until END)::text FROM webhook w"

#define STATEMENTS_WEBHOOK(X) \
    X(WRITE_EVENTS, "SELECT webhook_statuses($1)") \
    X(WEBHOOK_LIST, \
      QUERY_WEBHOOK " WHERE ($1::text IS NULL OR w.id < $1::text::bigint) ORDER BY w.id DESC LIMIT $2") \
    X(WEBHOOK_GET, QUERY_WEBHOOK " WHERE w.id = $1") \
    X(WEBHOOK_ADD, \
      "INSERT INTO webhook (url, events, secret) SELECT $1, $2, $3" \
      " WHERE (SELECT count(*) FROM webhook) < $4 RETURNING id::text") \
    X(WEBHOOK_REMOVE, "DELETE FROM webhook WHERE id = $1 RETURNING id::text") \
    X(WEBHOOK_REPLAY, "SELECT n::text FROM webhook_replay($1) n WHERE n IS NOT NULL") \
    X(WEBHOOK_CLAIM, \
      "UPDATE webhook w SET leased_until = now() + $1::int8 * interval '1 millisecond'" \
      " WHERE id = (SELECT v.id FROM webhook v WHERE v.next_at <= now()" \
      "  AND v.disabled_at IS NULL AND (v.leased_until IS NULL OR v.leased_until < now())" \
      "  AND EXISTS (SELECT FROM webhook_outbox o WHERE o.webhook_id = v.id)" \
      "  ORDER BY v.next_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)" \
      " RETURNING w.id::text, w.url, w.secret, w.failures::text," \
      " CASE WHEN w.old_secret_until > now() THEN w.old_secret END") \
    X(WEBHOOK_EVENTS, "SELECT seq::text, event, body FROM webhook_batch($1, $2, $3)") \
    X(WEBHOOK_DELIVERED, "SELECT webhook_taken($1, $2, $3, $4, $5, $6)::text") \
    X(WEBHOOK_FAILED, "SELECT webhook_failed($1, $2, $3, $4, $5, $6, $7, $8, $9)::text") \
    X(WEBHOOK_FORGET, "SELECT webhook_forget($1)::text") \
    X(WEBHOOK_SET, \
      "UPDATE webhook w SET url = coalesce($2::text, w.url), events = coalesce($3::int4, w.events)," \
      " disabled_at = CASE WHEN $4::boolean THEN NULL WHEN NOT $4 THEN" \
      "  coalesce(w.disabled_at, now()) ELSE w.disabled_at END," \
      " disabled_reason = CASE WHEN $4 THEN NULL WHEN NOT $4 THEN" \
      "  coalesce(w.disabled_reason, 'switched off') ELSE w.disabled_reason END," \
      " failures = 0, next_at = now() WHERE w.id = $1 RETURNING w.id::text") \
    X(WEBHOOK_ROTATE, "SELECT id::text, old_until::text FROM webhook_rotate($1, $2, $3)") \
    X(WEBHOOK_TRY, "SELECT e FROM webhook_try($1) e WHERE e IS NOT NULL") \
    X(WEBHOOK_DELIVERIES, \
      "SELECT attempt::text, at::text, (error IS NULL)::text, message, to_json(events)::text," \
      " octets::text, status::text, duration_ms::text, error FROM webhook_delivery d" \
      " WHERE webhook_id = $1 AND ($2::text IS NULL OR attempt < $2::text::bigint)" \
      " ORDER BY d.attempt DESC LIMIT $3") \
    X(WEBHOOK_COUNT, \
      "SELECT (SELECT count(*) FROM webhook_outbox)::text," \
      " (SELECT count(*) FROM webhook_dead)::text")
/* clang-format on */

#endif
