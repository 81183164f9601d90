/*
 * Statements of migration, batch writer and maintenance. Rows X(id, sql). Private to store/.
 */
#ifndef DSND_STORE_STATEMENTS_WRITE_H
#define DSND_STORE_STATEMENTS_WRITE_H

/* Days for which partitions are made ahead. */
enum { STORE_DAYS_AHEAD = 7 };

/* clang-format off */
#define STATEMENTS_WRITE(X) \
    X(MIGRATIONS, "SELECT version, sha256 FROM schema_migration ORDER BY version") \
    X(MIGRATION_ADD, "INSERT INTO schema_migration (version, name, sha256, program) VALUES ($1, $2, $3, $4)") \
    X(PARTITION_ENSURE, "SELECT partition_ensure($1, $2)")
/* clang-format on */

#endif
