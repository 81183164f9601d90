/*
 * The one place where foreign text is made fit to be stored: PostgreSQL takes neither NUL nor
 * invalid UTF-8, and who reads the rows should meet no control characters. Pure, any thread.
 */
#ifndef DSND_STORE_TEXT_H
#define DSND_STORE_TEXT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/report.h"

/* Octets after which a text is cut, on a character's border. */
enum {
    STORE_TEXT_DIAGNOSTIC_MAX = 4096,
    STORE_TEXT_ADDRESS_MAX = 1024,
    STORE_TEXT_FIELD_MAX = 1024, /* any other text from outside */
    STORE_TEXT_NAME_MAX = 128,   /* our own words: rules, providers, versions */
};

/*
 * NUL and every octet that belongs to no valid character become U+FFFD; other control characters
 * (C0, DEL, C1) become \xNN; at most `max` octets are kept. Borrows `text` where nothing has to
 * change, else a copy in `arena`. Absent stays absent. DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err store_text_clean(struct dsnd_arena *arena, struct dsnd_str text, size_t max,
                               struct dsnd_str *ret_text);

/* Cleaned texts, which hold no line end, as one in `arena`: a line each. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err store_text_lines(struct dsnd_arena *arena, const struct dsnd_str *texts, size_t count,
                               struct dsnd_str *ret_text);

/* `report` with all of its texts cleaned; recipients are copied into `arena`. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err store_report_clean(struct dsnd_arena *arena, const struct report *report,
                                 struct report *ret_report);

#endif
