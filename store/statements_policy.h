/*
 * Statements of the suppression policy, and of who changed what. Rows X(id, sql). Private to
 * store/.
 */
#ifndef DSND_STORE_STATEMENTS_POLICY_H
#define DSND_STORE_STATEMENTS_POLICY_H

/* clang-format off */
#define STATEMENTS_POLICY(X) \
    X(POLICY_LIST, \
      "SELECT class::text, threshold::text, nullif(window_s, 0)::text, distinct_days::text," \
      " expires_s::text, probation_s::text, relapse_lasts::text, evidence::text," \
      " changed_at::text, changed_by FROM suppression_policy" \
      " WHERE $1::smallint IS NULL OR class = $1 ORDER BY suppression_policy.class") \
    X(POLICY_PUT, \
      "UPDATE suppression_policy SET threshold = $2, window_s = $3, distinct_days = $4," \
      " expires_s = $5, probation_s = $6, relapse_lasts = $7, evidence = $8, changed_at = now()," \
      " changed_by = nullif(current_setting('dsnd.actor', true), '') WHERE class = $1") \
    /* Of the session: whoever changes something over this connection next says who it is, too. */ \
    X(ACTOR_TOKEN, \
      "SELECT set_config('dsnd.actor', coalesce((SELECT name FROM token WHERE id = $1), ''), false)") \
    X(ACTOR_NAME, "SELECT set_config('dsnd.actor', $1, false)") \
    X(SUPPRESSION_HISTORY, \
      "SELECT h.at::text, h.op::text, h.class::text, h.source::text, h.actor, h.note, c.key," \
      " h.expires_at::text, to_json(h.status_ids)::text, h.seq::text FROM (SELECT * FROM (" \
      "SELECT at, op, class, source, actor, note, campaign_id, expires_at, status_ids, seq" \
      " FROM suppression_change WHERE address_hash IN ($1::bytea, erased_hash($1::bytea))" \
      " UNION ALL SELECT at, CASE WHEN dropped THEN 6 ELSE 5 END, class, CASE WHEN dropped THEN 2" \
      " ELSE 1 END, actor, NULL, campaign_id, NULL, status_ids, NULL FROM suppression_aside" \
      " WHERE address_hash IN ($1::bytea, erased_hash($1::bytea))) a" \
      " ORDER BY a.at DESC, a.seq DESC NULLS LAST LIMIT 1000) h" \
      " LEFT JOIN campaign c ON c.id = h.campaign_id AND c.id <> 0" \
      " ORDER BY h.at, h.seq NULLS FIRST")
/* clang-format on */

#endif
