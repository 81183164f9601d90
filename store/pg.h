/*
 * PostgreSQL as the files of store/ see it: parameters, prepared statements, results, all binary,
 * each call with a deadline. Private to store/. One thread a connection.
 */
#ifndef DSND_STORE_PG_H
#define DSND_STORE_PG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "store/statements.h"
#include "store/store.h"

/* How long the server may work on one statement, and how long we wait for its answer beyond that:
 * a path that swallows packets must not hold a thread for ever. */
enum {
    PG_STATEMENT_TIMEOUT_MS = 30000,
    PG_LOCK_TIMEOUT_MS = 20000,
    PG_CONNECT_TIMEOUT_S = 5,
    PG_ANSWER_TIMEOUT_MS = PG_STATEMENT_TIMEOUT_MS + 5000,
    PG_ANSWER_SPARE = 16, /* this part of a limit is waited for the word that it was reached */
    PG_ERROR_SIZE = 512,
    PG_DAYS_KNOWN = 64,
    PG_PARAMS_MAX = 40,
    PG_PARAMS_OCTETS = 512 * 1024 * 1024,
};

struct store_conn {
    PGconn *pg;
    char *url;
    char error[PG_ERROR_SIZE];
    char sqlstate[6];               /* of the last error the server reported; else "" */
    bool broken;                    /* nothing more can be done with it */
    bool unsynced;                  /* a pipeline holds statements behind its last sync */
    unsigned syncs;                 /* syncs of the pipeline not answered yet */
    bool prepared[STATEMENT_COUNT]; /* statements this session knows */
    bool ahead;                     /* the next query is only asked */
    bool due;                       /* and was; its rows are not taken yet */
    bool tuned;                     /* the session has the writer's planner settings */
    int32_t days[PG_DAYS_KNOWN];    /* days (since 1970) whose partitions are known to exist */
    size_t day_count;
    int64_t answer_ms;           /* how long an answer may take; INT64_MAX: as long as it takes */
    unsigned limit_ms;           /* of a statement, as the session has it */
    struct ZSTD_CCtx_s *zstd;    /* the writer's; NULL until first used */
    Oid (*types)[PG_PARAMS_MAX]; /* of each prepared statement's parameters; debug builds only */
};

/* ---- connections ---- */

/* Connect and set the session up, without a look at the schema. Errors as store_connect. */
DSND_MUST_CHECK
enum dsnd_err pg_open(const char *url, const char *application, struct store_conn **ret_conn);
/* The schema is the one this program knows. DSND_ERR_VERSION, DSND_ERR_UNAVAILABLE. */
DSND_MUST_CHECK
enum dsnd_err pg_check_version(struct store_conn *self);
/* The session is alive as far as can be told without asking the server. */
bool pg_alive(struct store_conn *self);

/* ---- parameters ---- */

/* Types of parameters and of elements of arrays: object ids in pg_type. */
enum pg_type {
    PG_BOOL = 16,
    PG_BYTEA = 17,
    PG_INT8 = 20,
    PG_INT2 = 21,
    PG_INT4 = 23,
    PG_TEXT = 25,
    PG_DATE = 1082,
    PG_TIMESTAMPTZ = 1184,
    PG_UUID = 2950,
};

/* The type of arrays of elements of this one. */
Oid pg_array_of(enum pg_type element);

/*
 * Parameters in the order of $1, $2 ... . Errors are kept and reported by the call that uses them,
 * so that a list of parameters reads as a list. Absent views become NULL.
 */
struct pg_params {
    struct dsnd_buf buf;
    size_t offset[PG_PARAMS_MAX];
    int length[PG_PARAMS_MAX]; /* -1: NULL */
    Oid type[PG_PARAMS_MAX];   /* what its octets are; InvalidOid where NULL */
    int count;
    enum dsnd_err err;
    size_t array;   /* offset of the open array's header */
    int32_t filled; /* its elements so far */
    bool has_null;
};

void pg_params_init(struct pg_params *self);
void pg_params_clear(struct pg_params *self);
void pg_params_done(struct pg_params *self);

void pg_add_null(struct pg_params *self);
void pg_add_bool(struct pg_params *self, bool value);
void pg_add_i16(struct pg_params *self, int16_t value);
void pg_add_i32(struct pg_params *self, int32_t value);
void pg_add_i64(struct pg_params *self, int64_t value);
void pg_add_time(struct pg_params *self, int64_t us); /* microseconds since 1970 */
void pg_add_day(struct pg_params *self, int32_t day); /* days since 1970 */
void pg_add_text(struct pg_params *self, struct dsnd_str value);
void pg_add_bytea(struct pg_params *self, struct dsnd_str value);

/* One array parameter: begin, elements of its type, end. */
void pg_array_begin(struct pg_params *self, enum pg_type type);
void pg_array_end(struct pg_params *self);
void pg_elem_null(struct pg_params *self);
void pg_elem_bool(struct pg_params *self, bool value);
void pg_elem_i16(struct pg_params *self, int16_t value);
void pg_elem_i32(struct pg_params *self, int32_t value);
void pg_elem_i64(struct pg_params *self, int64_t value);
void pg_elem_time(struct pg_params *self, int64_t us);
void pg_elem_day(struct pg_params *self, int32_t day);
void pg_elem_octets(struct pg_params *self, struct dsnd_str value); /* text, bytea and uuid */

/* A column of a set of rows: its type and where the row struct keeps it. */
enum pg_kind {
    PG_KIND_I64,
    PG_KIND_I64_OR_NULL, /* 0 becomes NULL, here and below */
    PG_KIND_I32,
    PG_KIND_I32_OR_NULL,
    PG_KIND_I16,
    PG_KIND_I16_OR_NULL,
    PG_KIND_BOOL,
    PG_KIND_TIME, /* int64_t, microseconds since 1970 */
    PG_KIND_TIME_OR_NULL,
    PG_KIND_DAY,  /* int32_t, days since 1970 */
    PG_KIND_TEXT, /* struct dsnd_str, as the next ones */
    PG_KIND_BYTEA,
    PG_KIND_UUID, /* 16 octets */
};

struct pg_column {
    enum pg_kind kind;
    size_t offset;
};

/* One array parameter a column, for unnest: `count` rows of `size` octets each, at `rows`. */
void pg_add_rows(struct pg_params *self, const struct pg_column *columns, size_t column_count,
                 const void *rows, size_t size, size_t count);

/* ---- statements ---- */

/*
 * Run one prepared statement and wait. `params` may be NULL for none. On success `*ret_result` is
 * the caller's to PQclear; NULL for `ret_result` drops it. Prepares the statement on first use.
 *
 * DSND_ERR_UNAVAILABLE: connection lost, or the transaction may be repeated; DSND_ERR_REFUSED:
 * the server refused the data (SQLSTATE classes 22, 23, 54); DSND_ERR_VERSION: the schema lacks
 * what the statement names; DSND_ERR_NOMEM, DSND_ERR_LIMIT: the parameters.
 */
DSND_MUST_CHECK
enum dsnd_err pg_run(struct store_conn *self, enum statement statement,
                     const struct pg_params *params, PGresult **ret_result);
/* The same in two steps, with time between them for other work, but none for the connection. */
DSND_MUST_CHECK
enum dsnd_err pg_ask(struct store_conn *self, enum statement statement,
                     const struct pg_params *params);
DSND_MUST_CHECK
enum dsnd_err pg_answer(struct store_conn *self, PGresult **ret_result);
/* pg_answer would not have to wait. */
bool pg_has_answer(struct store_conn *self);

/* The same for text that is run as it stands and returns nothing; may hold several statements. */
DSND_MUST_CHECK
enum dsnd_err pg_run_text(struct store_conn *self, const char *sql);

/*
 * A pipeline: statements are sent without waiting; results come in the same order. All statements
 * used in it must be prepared before (pg_prepare). After an error the rest is skipped by the
 * server until pg_pipeline_end, which always leaves pipeline mode.
 */
DSND_MUST_CHECK
enum dsnd_err pg_prepare(struct store_conn *self, const enum statement *statements, size_t count);
DSND_MUST_CHECK
enum dsnd_err pg_pipeline_begin(struct store_conn *self);
DSND_MUST_CHECK
enum dsnd_err pg_send(struct store_conn *self, enum statement statement,
                      const struct pg_params *params);
/* End of one group: make the server answer everything sent so far. */
DSND_MUST_CHECK
enum dsnd_err pg_sync(struct store_conn *self);
/* The result of the next statement; as pg_run. */
DSND_MUST_CHECK
enum dsnd_err pg_next(struct store_conn *self, PGresult **ret_result);
/* The answer to pg_sync. */
DSND_MUST_CHECK
enum dsnd_err pg_next_sync(struct store_conn *self);
/* Leave pipeline mode, dropping what is unread; the connection is broken where that fails. */
void pg_pipeline_end(struct store_conn *self);

/*
 * Values are sent in binary, so a parameter whose type PostgreSQL infers otherwise than the code
 * does is read as another value without an error. Debug builds ask what was inferred when they
 * prepare (`described`), and end the process where what is sent is something else.
 */
#ifdef NDEBUG
enum { PG_TYPES_CHECKED = 0 };
#else
enum { PG_TYPES_CHECKED = 1 };
#endif
DSND_MUST_CHECK
enum dsnd_err pg_types_note(struct store_conn *self, enum statement statement,
                            const PGresult *described);
void pg_types_check(const struct store_conn *self, enum statement statement,
                    const struct pg_params *params);

/*
 * What stood in the way of the last transaction passes: another's commit (a deadlock or a conflict,
 * class 40), or a row it made first (23505).
 */
bool pg_may_repeat(const struct store_conn *self);

/* Roll back whatever transaction is open; the connection is broken where that fails. */
void pg_rollback(struct store_conn *self);

/* Keep words for store_conn_error. */
DSND_PRINTF(2, 3)
void pg_set_error(struct store_conn *self, const char *format, ...);

/* ---- results ---- */

/* Row and column must exist and have the type; NULL gives 0, false or absent. */
bool pg_null(const PGresult *result, int row, int column);
bool pg_bool(const PGresult *result, int row, int column);
int16_t pg_i16(const PGresult *result, int row, int column);
int32_t pg_i32(const PGresult *result, int row, int column);
int64_t pg_i64(const PGresult *result, int row, int column);
int64_t pg_time(const PGresult *result, int row, int column);        /* microseconds since 1970 */
struct dsnd_str pg_str(const PGresult *result, int row, int column); /* borrows from the result */

#endif
