/*
 * Statements of receipts: the queue and its sender. Rows X(id, sql). Private to store/.
 */
#ifndef DSND_STORE_STATEMENTS_RECEIPT_H
#define DSND_STORE_STATEMENTS_RECEIPT_H

/* clang-format off */
#define STATEMENTS_RECEIPT(X) \
    X(WRITE_RECEIPT, \
      "INSERT INTO receipt (journal_id, sequence, recipient, message)" \
      " SELECT $1, * FROM unnest($2::int8[], $3::text[], $4::bytea[]) ON CONFLICT DO NOTHING") \
    X(RECEIPT_LEAD, "SELECT pg_try_advisory_lock(4920143, 16)::int::text") \
    X(RECEIPT_NEXT, \
      "SELECT id::text, recipient, failures::text," \
      " (extract(epoch FROM now() - made_at) * 1000)::bigint::text, message" \
      " FROM receipt WHERE next_at <= now() ORDER BY next_at, receipt.id LIMIT 1") \
    X(RECEIPT_REMOVE, "DELETE FROM receipt WHERE id = $1") \
    X(RECEIPT_LATER, \
      "UPDATE receipt SET failures = failures + 1, last_error = $3," \
      " next_at = now() + $2::int8 * interval '1 millisecond' WHERE id = $1") \
    X(RECEIPT_COUNT, "SELECT count(*)::text FROM receipt")
/* clang-format on */

#endif
