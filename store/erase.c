/*
 * Erasure of one person. What PostgreSQL can search it erases itself; messages that were set aside
 * are compressed, so they are looked at here.
 */
#include "base/clock.h"
#include "parse/return_path.h"
#include "store/digest.h"
#include "store/query_run.h"
#include "store/query_suppression.h"

enum {
    STEP_ROWS = 20000, /* searched in one transaction */
    STEPS_MS = 3000,   /* of the request that asks for it; maintenance does the rest */
    RAW_MAX = 256 * 1024 * 1024,
};

struct person {
    struct dsnd_str address;
    struct dsnd_str ref; /* empty where the address has no default ref */
};

static bool is_word(char c)
{
    return dsnd_is_alpha(c) || dsnd_is_digit(c) || c == '-' || c == '_' || c == '+' || c == '%';
}

/* The address itself, not the end of a longer one or the front of one; as erasure_pattern(). */
static bool names_address(struct dsnd_str text, struct dsnd_str address)
{
    size_t at = dsnd_str_ifind(text, address);

    while (at != SIZE_MAX) {
        size_t end = at + address.len;
        bool front = at > 0 && (is_word(text.ptr[at - 1]) || text.ptr[at - 1] == '.');
        bool more = end + 1 < text.len && text.ptr[end] == '.' && is_word(text.ptr[end + 1]);

        if (!front && !more && !(end < text.len && is_word(text.ptr[end])))
            return true;
        text = dsnd_str_slice(text, at + 1, text.len);
        at = dsnd_str_ifind(text, address);
    }
    return false;
}

static bool names(struct dsnd_str text, const struct person *person)
{
    return names_address(text, person->address) ||
           (person->ref.len && dsnd_str_ifind(text, person->ref) != SIZE_MAX);
}

/* One message that was set aside; `*touched` counts it where it goes. */
static enum dsnd_err search_quarantined(struct store_conn *conn, const struct person *person,
                                        struct dsnd_str id, int64_t *touched)
{
    struct dsnd_buf raw = DSND_BUF_INIT(RAW_MAX);
    enum dsnd_err err = query_raw(conn, STATEMENT_QUARANTINE_RAW, id, &raw);
    bool found = !err && names(dsnd_buf_str(&raw), person);

    dsnd_buf_done(&raw);
    if (err == DSND_ERR_NOT_FOUND || err == DSND_ERR_CORRUPT) /* gone meanwhile, or not readable */
        err = DSND_OK;
    if (err || !found)
        return err;
    (*touched)++;
    return query_run_text(conn, STATEMENT_QUARANTINE_ERASE, id, NULL);
}

static enum dsnd_err search_quarantine(struct store_conn *conn, const struct person *person,
                                       int64_t *touched)
{
    struct pg_params params;
    struct store_rows *rows = NULL;
    enum dsnd_err err;

    pg_params_init(&params);
    err = query_run(conn, STATEMENT_QUARANTINE_IDS, &params, &rows);
    for (size_t i = 0; i < store_rows_count(rows) && !err; i++)
        err = search_quarantined(conn, person, store_rows_value(rows, i, 0), touched);
    store_rows_free(rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_erasure_step(struct store_conn *conn, bool *ret_more)
{
    struct pg_params params;
    struct store_rows *rows = NULL;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i32(&params, STEP_ROWS);
    err = query_run(conn, STATEMENT_ERASURE_STEP, &params, &rows);
    *ret_more = !err && dsnd_str_present(store_rows_value(rows, 0, 0));
    store_rows_free(rows);
    pg_params_done(&params);
    return err;
}

static enum dsnd_err search_texts(struct store_conn *conn)
{
    int64_t until = dsnd_clock_monotonic_ms() + STEPS_MS;
    enum dsnd_err err = DSND_OK;
    bool more = true;

    while (!err && more && dsnd_clock_monotonic_ms() < until)
        err = store_erasure_step(conn, &more);
    return err;
}

static enum dsnd_err erase_rows(struct store_conn *conn, const struct person *person,
                                const struct store_hash *hash, int64_t *ret_erased)
{
    struct pg_params params;
    struct store_rows *rows = NULL;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, person->address);
    pg_add_bytea(&params, dsnd_str_make((const char *)hash->octets, sizeof(hash->octets)));
    pg_add_i64(&params, store_hash_key(hash));
    pg_add_text(&params, person->ref);
    err = query_run(conn, STATEMENT_RECIPIENT_ERASE, &params, &rows);
    if (!err)
        *ret_erased = store_rows_int(rows, 0, 0);
    store_rows_free(rows);
    pg_params_done(&params);
    return err;
}

/* In other transactions than the rows: writers shall not wait for searches. */
static enum dsnd_err erase_texts(struct store_conn *conn, const struct person *person)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, person->address);
    pg_add_text(&params, person->ref);
    err = query_run(conn, STATEMENT_ERASURE_TEXTS, &params, NULL);
    pg_params_done(&params);
    return err;
}

/* Messages that are still in the queue of a mail server; `*touched` counts them. */
static enum dsnd_err erase_queued(struct store_conn *conn, const struct person *person,
                                  const struct store_hash *hash, int64_t *touched)
{
    struct pg_params params;
    struct store_rows *rows = NULL;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, person->address);
    pg_add_i64(&params, store_hash_key(hash));
    pg_add_text(&params, person->ref);
    err = query_run(conn, STATEMENT_LOG_MESSAGE_ERASE, &params, &rows);
    if (!err)
        *touched += store_rows_int(rows, 0, 0);
    store_rows_free(rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_recipient_erase(struct store_conn *conn, struct dsnd_str address,
                                    int64_t *ret_erased)
{
    char ref[RETURN_PATH_REF_MAX + 1] = "";
    struct person person = {.address = address};
    struct store_hash hash;
    enum dsnd_err err = store_address_hash(address, &hash);

    /* What is too long for an address has no default ref, and nothing to erase under it. */
    if (!err && return_path_default_ref(address, ref) == DSND_ERR_NOMEM)
        err = DSND_ERR_NOMEM;
    person.ref = dsnd_str_of(ref);
    if (!err)
        err = erase_rows(conn, &person, &hash, ret_erased);
    if (!err)
        err = erase_texts(conn, &person);
    if (!err)
        err = erase_queued(conn, &person, &hash, ret_erased);
    if (!err)
        err = search_quarantine(conn, &person, ret_erased);
    return err ? err : search_texts(conn);
}
