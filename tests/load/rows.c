#include "tests/load/rows.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "tests/load/cpu.h"

struct rows {
    PGconn *conn;
};

struct rows *rows_open(const char *url)
{
    struct rows *self = calloc(1, sizeof(*self));

    if (!self)
        return NULL;
    self->conn = PQconnectdb(url);
    if (PQstatus(self->conn) != CONNECTION_OK) {
        (void)fprintf(stderr, "database: %s", PQerrorMessage(self->conn));
        rows_close(self);
        return NULL;
    }
    return self;
}

void rows_close(struct rows *self)
{
    if (!self)
        return;
    PQfinish(self->conn);
    free(self);
}

pid_t rows_postmaster(const struct rows *self)
{
    return cpu_parent(PQbackendPID(self->conn));
}

static bool ask(struct rows *self, const char *sql, uint64_t *ret_count)
{
    PGresult *result = PQexec(self->conn, sql);
    bool good = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
                !dsnd_str_to_u64(dsnd_str_of(PQgetvalue(result, 0, 0)), UINT64_MAX, ret_count);

    if (!good)
        (void)fprintf(stderr, "database: %s", PQerrorMessage(self->conn));
    PQclear(result);
    return good;
}

bool rows_stored(struct rows *self, uint64_t *ret_count)
{
    return ask(self,
               "SELECT coalesce(sum(reports + duplicates + quarantined), 0) FROM journal_position",
               ret_count);
}

bool rows_in(struct rows *self, const char *name, uint64_t *ret_count)
{
    bool report = strcmp(name, "report") == 0;

    return ask(self, report ? "SELECT count(*) FROM report" : "SELECT count(*) FROM status",
               ret_count);
}
