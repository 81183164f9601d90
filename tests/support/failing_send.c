/*
 * To be preloaded: the fourth time that suppressions are asked for, the question does not go out,
 * as if the connection had broken between two pages of an export.
 */
#include <dlfcn.h>
#include <libpq-fe.h>
#include <stdatomic.h>
#include <string.h>

enum { FAILING = 4 };

typedef int send_query(PGconn *, const char *, int, const char *const *, const int *, const int *,
                       int);

/* NOLINTNEXTLINE(readability-function-size): the signature is libpq's */
__attribute__((visibility("default"))) int
PQsendQueryPrepared(PGconn *conn, const char *stmtName, int nParams, const char *const *paramValues,
                    const int *paramLengths, const int *paramFormats, int resultFormat)
{
    static atomic_int asked;
    void *found = dlsym(RTLD_NEXT, "PQsendQueryPrepared");
    send_query *next = NULL;

    memcpy(&next, &found, sizeof(next));
    if (strcmp(stmtName, "SUPPRESSION_LIST") == 0 && atomic_fetch_add(&asked, 1) + 1 == FAILING)
        return 0;
    return next(conn, stmtName, nParams, paramValues, paramLengths, paramFormats, resultFormat);
}
