/*
 * Statements of mail servers' logs. Rows X(id, sql). Private to store/.
 */
#ifndef DSND_STORE_STATEMENTS_LOG_H
#define DSND_STORE_STATEMENTS_LOG_H

/* clang-format off */
#define QUERY_LOG_FILE \
    "SELECT f.id::text, f.journal, f.inode::text, f.front_octets::text," \
    " encode(f.front_sha256, 'hex'), coalesce(p.position_octets, 0)::text," \
    " coalesce(p.segment, 0)::text, (f.source_id = $1)::int::text, f.done::int::text, f.name" \
    " FROM log_file f LEFT JOIN journal_position p ON p.journal = f.journal"

#define STATEMENTS_LOG(X) \
    X(LOG_SOURCE, \
      "WITH added AS (INSERT INTO log_source (name) SELECT $1::text WHERE NOT EXISTS" \
      "  (SELECT FROM log_source WHERE name = $1) ON CONFLICT DO NOTHING RETURNING id)" \
      " SELECT id::text FROM added UNION ALL SELECT id::text FROM log_source WHERE name = $1") \
    X(LOG_LOCK, "SELECT pg_try_advisory_lock(4920144, $1::int4)::int::text") \
    /* All of the source, the one read last first, and files of others that begin alike. */ \
    X(LOG_FILES, QUERY_LOG_FILE \
      " WHERE f.source_id = $1 OR f.id IN (SELECT id FROM log_file WHERE front_sha256 = $2" \
      "  ORDER BY id DESC LIMIT 1000)" \
      " ORDER BY (f.source_id = $1) DESC, f.id DESC") \
    X(LOG_FILE_ADD, \
      "INSERT INTO log_file (source_id, journal, inode, front_octets, front_sha256, name)" \
      " VALUES ($1, $2, $3, $4, $5, $6)") \
    X(LOG_FILE_SET, \
      "UPDATE log_file SET inode = $2, front_octets = $3, front_sha256 = $4, name = $5" \
      " WHERE journal = $1") \
    X(LOG_FILE_DONE, \
      "UPDATE log_file SET done = true, inode = $2, name = $3, octets = $4, modified_ns = $5," \
      " gone_at = NULL WHERE journal = $1") \
    X(LOG_FILE_LENGTHS, \
      "SELECT DISTINCT front_octets::text FROM log_file" \
      " WHERE source_id = $1 AND front_octets BETWEEN 1 AND $2") \
    X(LOG_FILES_LIKE, QUERY_LOG_FILE \
      " WHERE f.source_id = $1 AND (f.inode = $2 OR f.front_sha256 = ANY ($3::bytea[]))" \
      " ORDER BY f.id DESC LIMIT 1000") \
    X(LOG_FILES_DONE, \
      "SELECT name, journal, inode::text, octets::text, modified_ns::text FROM log_file" \
      " WHERE source_id = $1 AND done AND modified_ns IS NOT NULL ORDER BY id") \
    X(LOG_FILES_PRESENT, \
      "UPDATE log_file f SET gone_at = CASE WHEN p.journal IS NULL THEN now() END" \
      " FROM log_file l LEFT JOIN unnest($2::text[]) p (journal) ON p.journal = l.journal" \
      " WHERE f.id = l.id AND l.source_id = $1 AND l.done" \
      " AND (l.gone_at IS NULL) = (p.journal IS NULL)") \
    X(LOG_FILES_FORGET, \
      "DELETE FROM log_file WHERE source_id = $1 AND done" \
      " AND gone_at < now() - interval '30 days'") \
    X(LOG_FIND, \
      "SELECT m.queue_id, m.sender, m.message_id," \
      " ((extract(epoch FROM m.queued_at) * 1000000)::bigint)::text, w.recipient, w.remote_mta," \
      " w.diagnostic FROM log_message m LEFT JOIN log_waiting w USING (source_id, queue_id)" \
      " WHERE source_id = $1 AND m.queue_id = ANY ($2::text[])" \
      " ORDER BY m.queue_id COLLATE \"C\", w.recipient COLLATE \"C\"") \
    X(LOG_FORGET, "DELETE FROM log_message WHERE touched_at < $1") \
    X(WRITE_LOG_SET, \
      "INSERT INTO log_message (source_id, queue_id, sender, message_id, queued_at)" \
      " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[])" \
      " n(queue_id, sender, message_id, queued_at) ORDER BY queue_id" \
      " ON CONFLICT (source_id, queue_id) DO UPDATE SET sender = excluded.sender," \
      " message_id = excluded.message_id, queued_at = excluded.queued_at, touched_at = now()") \
    X(WRITE_LOG_WAITED, \
      "DELETE FROM log_waiting WHERE source_id = $1 AND queue_id = ANY ($2::text[])") \
    X(WRITE_LOG_WAITING, \
      "INSERT INTO log_waiting (source_id, queue_id, recipient, recipient_key, remote_mta," \
      " diagnostic) SELECT $1, * FROM unnest($2::text[], $3::text[], $4::int8[], $5::text[]," \
      " $6::text[]) n(queue_id, recipient, recipient_key, remote_mta, diagnostic)" \
      " ORDER BY queue_id, recipient ON CONFLICT DO NOTHING") \
    X(WRITE_LOG_REMOVE, \
      "DELETE FROM log_message WHERE source_id = $1 AND queue_id = ANY ($2::text[])")
/* clang-format on */

#endif
