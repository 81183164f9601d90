/*
 * Erasure of one person. What PostgreSQL can search it erases itself; messages that were set aside
 * are compressed, so they are looked at here.
 */
#include "base/clock.h"
#include "base/hex.h"
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

/* Two hexadecimal digits behind one of `marks`, at the front of `text`: the octet, else -1. */
static int coded(struct dsnd_str text, struct dsnd_str marks)
{
    unsigned char octet = 0;
    bool is = text.len >= 3 && dsnd_str_chr(marks, text.ptr[0]) != SIZE_MAX &&
              hex_decode(dsnd_str_slice(text, 1, 3), &octet, 1);

    return is ? octet : -1;
}

/*
 * Octets at the front of `text` that stand for `c`: itself in either case, or its digits as URLs,
 * xtext (RFC 3461) and quoted-printable have them, the last with ends of lines; "=" for "@" as in
 * return paths of others. 0: none do.
 */
static size_t stands_for(struct dsnd_str text, char c, bool is_xtext)
{
    size_t end = dsnd_str_starts(text, DSND_STR("=\r\n")) ? 3 : 2;
    size_t skip = end == 3 || dsnd_str_starts(text, DSND_STR("=\n")) ? end : 0;
    struct dsnd_str rest = dsnd_str_slice(text, skip, text.len);
    int octet = coded(rest, is_xtext ? DSND_STR("%+=") : DSND_STR("%="));

    if (octet >= 0 && dsnd_lower((char)octet) == dsnd_lower(c))
        return skip + 3;
    if (rest.len && dsnd_lower(rest.ptr[0]) == dsnd_lower(c))
        return skip + 1;
    return c == '@' && dsnd_str_starts(rest, DSND_STR("=")) ? skip + 1 : 0;
}

/* Octets at the front of `text` that write `address`, which is not empty. 0: none do. */
static size_t writes(struct dsnd_str text, struct dsnd_str address, bool is_xtext)
{
    size_t len = 0;

    for (size_t i = 0; i < address.len; i++) {
        size_t octets = stands_for(dsnd_str_slice(text, len, text.len), address.ptr[i], is_xtext);

        if (!octets)
            return 0;
        len += octets;
    }
    return len;
}

static bool goes_on_before(struct dsnd_str text, size_t at)
{
    int octet = at >= 3 ? coded(dsnd_str_slice(text, at - 3, at), DSND_STR("%=")) : -1;
    char c = octet >= 0 ? (char)octet : at ? text.ptr[at - 1] : ' ';

    return is_word(c) || c == '.';
}

static bool goes_on_behind(struct dsnd_str rest)
{
    int octet = coded(rest, DSND_STR("%"));
    char c = octet >= 0 ? (char)octet : rest.len ? rest.ptr[0] : ' ';

    return is_word(c) || (c == '.' && rest.len > 1 && is_word(rest.ptr[1]));
}

/* The address itself, not the end of a longer one or the front of one; as erasure_pattern(). */
static bool is_there(struct dsnd_str text, size_t at, struct dsnd_str address, bool is_xtext)
{
    size_t len = writes(dsnd_str_slice(text, at, text.len), address, is_xtext);

    return len && !goes_on_before(text, at) &&
           !goes_on_behind(dsnd_str_slice(text, at + len, text.len));
}

/* Most octets begin no address; a "+" may stand for itself though two digits follow. */
static bool names_address(struct dsnd_str text, struct dsnd_str address)
{
    char first = dsnd_lower(address.ptr[0]);
    bool found = false;

    for (size_t at = 0; at < text.len && !found; at++) {
        char c = dsnd_lower(text.ptr[at]);

        if (c == first || c == '%' || c == '+' || c == '=')
            found = is_there(text, at, address, false) || is_there(text, at, address, true);
    }
    return found;
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
