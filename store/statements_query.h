/*
 * Statements that only read, and those by which the API changes what people own: campaigns, sends,
 * suppressions, tokens. Rows X(id, sql). Private to store/.
 */
#ifndef DSND_STORE_STATEMENTS_QUERY_H
#define DSND_STORE_STATEMENTS_QUERY_H

/* clang-format off */
#define STATEMENTS_QUERY(X) \
    X(SCHEMA_VERSION, "SELECT coalesce(max(version), 0)::int4 FROM schema_migration")
/* clang-format on */

#endif
