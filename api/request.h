/*
 * One HTTP request and its answer: what handlers see. Made when its first line is read, freed when
 * libmicrohttpd is done with it; one thread at a time.
 */
#ifndef DSND_API_REQUEST_H
#define DSND_API_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/head_check.h"
#include "api/json_out.h"
#include "api/params.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/return_path.h"
#include "store/query_token.h"
#include "store/store.h"

struct MHD_Connection;
struct api_daemon;
struct request;
struct api;
struct route;
struct watch_entry;

enum request_method {
    REQUEST_GET, /* HEAD too: the body is left out when it is sent */
    REQUEST_POST,
    REQUEST_PUT,
    REQUEST_DELETE,
    REQUEST_OPTIONS,
    REQUEST_OTHER,
};

/* What a list may be printed as. */
enum request_format {
    REQUEST_JSON,
    REQUEST_NDJSON,
    REQUEST_CSV,
};

enum {
    REQUEST_SEGMENTS_MAX = 2, /* placeholders in a path */
    REQUEST_HEADERS_MAX = 8,
    REQUEST_BODY_OUT_MAX = 64 * 1024 * 1024,
    REQUEST_ARENA_MAX = 16 * 1024 * 1024,
};

struct request_header {
    const char *name;
    const char *value; /* in the arena, or static */
};

/*
 * An answer that is made page by page: `next` appends octets to `out` and sets `*ret_end` with the
 * last of them. With `ahead` it may leave the connection with the rows of the page after asked for
 * (store_rows_due): it is then given the same connection again. `state` lives in the request's
 * arena. After an error the connection is cut, so that the client sees that the answer is not
 * whole.
 */
struct request_stream {
    enum dsnd_err (*next)(void *state, struct store_conn *conn, bool ahead, struct dsnd_buf *out,
                          bool *ret_end);
    void *state;
    struct store_conn *conn; /* kept while PostgreSQL works on the page after; else NULL */
    size_t taken;            /* octets of the request's `out` that are on their way */
    bool failed;
};

/* Its place among those that wait for a thread; see api/workers.h. */
struct request_work {
    void (*run)(struct request *request);
    struct request *next;
};

struct request {
    struct api *api;
    struct api_daemon *daemon;
    struct MHD_Connection *connection;
    struct request_work work;
    struct watch_entry *watch;
    int64_t deadline_ms; /* of the monotonic clock: then the connection is cut */
    char *target;        /* request target as sent, owned */
    struct head_framing framing;
    const struct route *route;
    enum request_method method;
    enum request_format format; /* what the client asked for */
    bool is_head;
    bool is_old;     /* HTTP/1.0: it knows no chunks */
    bool begun;      /* the head was looked at */
    bool asks_token; /* whose it is must be asked of the database first */
    bool is_resumed; /* it was, and the library may call once more with nothing */
    bool answered;   /* the answer is made; what is left of the body is thrown away */
    bool must_close; /* the connection cannot be trusted to carry another request */
    bool is_page;    /* of the dashboard: a browser may run it */
    bool is_quick;   /* it is tried on a thread of the library */
    bool waiting;    /* it is to be asked again at a change; see api/waiters.h */
    bool wait_over;  /* it has waited as long as it may */
    int64_t wait_after;
    int64_t wait_ms;
    size_t drained; /* octets of the body thrown away */
    struct dsnd_arena arena;
    struct dsnd_str path;
    struct dsnd_str segment[REQUEST_SEGMENTS_MAX]; /* decoded */
    struct params params;
    struct dsnd_buf body;
    struct store_token token; /* whose request it is */
    /* The answer. */
    int status;
    const char *content_type; /* NULL: no body */
    struct dsnd_buf out;
    struct request_header headers[REQUEST_HEADERS_MAX];
    size_t header_count;
    struct request_stream stream; /* used where `next` is set */
    char failure[160];            /* why the answer is a 5xx, for the log */
};

/* `target` is copied. NULL without memory. */
struct request *request_new(struct api *api, const char *target);
void request_free(struct request *self);

/* A header of the request by name, or absent. */
struct dsnd_str request_header(const struct request *self, const char *name);

/* Add a header to the answer; `value` is copied. What does not fit is left out. */
void request_add_header(struct request *self, const char *name, struct dsnd_str value);

/* Begin a JSON answer into the request's buffer. */
void request_json(struct request *self, int status, struct json_out *ret_json);
/* Finish it: the first error of `json`. */
DSND_MUST_CHECK
enum dsnd_err request_json_end(struct request *self, const struct json_out *json);

/* Answer without a body. */
void request_empty(struct request *self, int status);

/*
 * Answer with a problem (RFC 9457). `parameter` names what is at fault; NULL for none. Whatever was
 * answered before is forgotten.
 */
DSND_PRINTF(4, 5)
void request_problem(struct request *self, int status, const char *parameter, const char *format,
                     ...);
/* The same, whatever else was to be done for the request. */
void request_refuse(struct request *self, int status, const char *parameter, const char *detail);
/* The same with the words that a reader of parameters or members found. */
void request_problem_of(struct request *self, int status, const struct params_error *error);

/* Read the query parameters by `specs`; where that fails the answer is made. Handlers return then.
 */
DSND_MUST_CHECK
bool request_params(struct request *self, const struct param_spec *specs, size_t count,
                    void *target);

/* What the bounce domain is and how to sign for it; borrowed, immutable while the request lives. */
const struct return_path_keys *request_keys(const struct request *self);
/* The operator's own providers; NULL: those built in. */
const struct provider_set *request_providers(const struct request *self);
const char *request_domain(const struct request *self);

/*
 * Wait for a change of the suppression list behind `after`, at most `wait_s` seconds; the handler
 * is then called again. False where the request may not wait (any more): answer now.
 */
bool request_wait(struct request *self, int64_t after, int64_t wait_s);

#endif
