/*
 * Statements of webhooks: the outbox, the sender and the API. Rows X(id, sql). Private to store/.
 */
#ifndef DSND_STORE_STATEMENTS_WEBHOOK_H
#define DSND_STORE_STATEMENTS_WEBHOOK_H

/* clang-format off */
#define STATEMENTS_WEBHOOK(X) \
    X(WRITE_EVENTS, "SELECT webhook_statuses($1)") \
    X(WEBHOOK_LIST, \
      "SELECT w.id::text, w.url, w.events::text, w.created_at::text," \
      " (SELECT count(*) FROM webhook_outbox o WHERE o.webhook_id = w.id)::text," \
      " (SELECT count(*) FROM webhook_dead d WHERE d.webhook_id = w.id)::text," \
      " w.delivered::text, w.failures::text, w.next_at::text, w.last_at::text," \
      " w.last_status::text, w.last_error FROM webhook w" \
      " WHERE ($1::text IS NULL OR w.id < $1::text::bigint) ORDER BY w.id DESC LIMIT $2") \
    X(WEBHOOK_ADD, \
      "INSERT INTO webhook (url, events, secret) SELECT $1, $2, $3" \
      " WHERE (SELECT count(*) FROM webhook) < $4 RETURNING id::text") \
    X(WEBHOOK_REMOVE, "DELETE FROM webhook WHERE id = $1 RETURNING id::text") \
    X(WEBHOOK_REPLAY, "SELECT n::text FROM webhook_replay($1) n WHERE n IS NOT NULL") \
    X(WEBHOOK_CLAIM, \
      "UPDATE webhook w SET leased_until = now() + $1 * interval '1 millisecond'" \
      " WHERE id = (SELECT v.id FROM webhook v WHERE v.next_at <= now()" \
      "  AND (v.leased_until IS NULL OR v.leased_until < now())" \
      "  AND EXISTS (SELECT FROM webhook_outbox o WHERE o.webhook_id = v.id)" \
      "  ORDER BY v.next_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)" \
      " RETURNING w.id::text, w.url, w.secret, w.failures::text") \
    X(WEBHOOK_EVENTS, \
      "SELECT seq::text, event, body FROM webhook_outbox WHERE webhook_id = $1" \
      " ORDER BY seq LIMIT $2") \
    X(WEBHOOK_DELIVERED, \
      "WITH gone AS (DELETE FROM webhook_outbox WHERE webhook_id = $1 AND seq = ANY ($2)" \
      " RETURNING seq)" \
      " UPDATE webhook SET delivered = delivered + (SELECT count(*) FROM gone), failures = 0," \
      " next_at = now(), leased_until = NULL, last_at = now(), last_status = $3," \
      " last_error = NULL WHERE id = $1") \
    X(WEBHOOK_FAILED, "SELECT webhook_failed($1, $2, $3, $4, $5)::text") \
    X(WEBHOOK_COUNT, \
      "SELECT (SELECT count(*) FROM webhook_outbox)::text," \
      " (SELECT count(*) FROM webhook_dead)::text")
/* clang-format on */

#endif
