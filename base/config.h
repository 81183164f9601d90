/*
 * dsnd.conf: sections, keys and values, driven by one table of options. Every key can also be set
 * by the environment as DSND_SECTION_KEY, which wins. An unknown key or a bad value is an error
 * that names file, line and what is allowed, and so is a key set twice in the file; nothing of a
 * bad file is used. Used at start and at reload, by one thread.
 *
 *     # a comment
 *     [smtp]
 *     listen = 0.0.0.0:25
 */
#ifndef DSND_BASE_CONFIG_H
#define DSND_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum config_type {
    CONFIG_STRING,   /* char[CONFIG_STRING_SIZE] */
    CONFIG_BOOL,     /* bool: yes or no */
    CONFIG_COUNT,    /* uint64_t: a whole number */
    CONFIG_OCTETS,   /* uint64_t: a number with K, M or G (powers of 1024) */
    CONFIG_DURATION, /* uint64_t, milliseconds: a number with ms, s, m, h or d */
    CONFIG_CHOICE,   /* int: index into `choices` */
};

enum { CONFIG_STRING_SIZE = 1024 };

/* What was wrong, in words for a person: "dsnd.conf:12: smtp.max_size: ... is allowed". */
struct config_error {
    char text[1024];
};

/* Whether a text is allowed; DSND_ERR_SYNTAX, `*ret_error` then says what is. */
typedef enum dsnd_err config_check(struct dsnd_str value, struct config_error *ret_error);

struct config_option {
    const char *section;
    const char *key;
    enum config_type type;
    size_t offset;              /* of the member in the settings struct */
    const char *initial;        /* the default, written as in a file */
    uint64_t min;               /* of COUNT, OCTETS and DURATION */
    uint64_t max;               /* of the same; 0 means no bound is set */
    const char *const *choices; /* of CHOICE, ended by NULL */
    const char *help;           /* one sentence */
    config_check *check;        /* of STRING; NULL: any text is allowed */
};

/*
 * Fill `settings` from the defaults, then the file at `path` (NULL: none), then the environment
 * `envp` ("DSND_SMTP_LISTEN=..."). Variables that name no section of the table are left alone.
 *
 * DSND_ERR_SYNTAX or DSND_ERR_LIMIT: a bad file, key or value; DSND_ERR_IO: the file cannot be
 * read.
 * `*ret_error` then says it in words, and `settings` must not be used.
 */
DSND_MUST_CHECK
enum dsnd_err config_load(const struct config_option *options, size_t count, const char *path,
                          char *const *envp, void *settings, struct config_error *ret_error);

/* One value by its type, as a file would give it. Errors as config_load, without file and line. */
DSND_MUST_CHECK
enum dsnd_err config_set(const struct config_option *option, struct dsnd_str value, void *settings,
                         struct config_error *ret_error);

#endif
