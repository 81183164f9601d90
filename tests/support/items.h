/*
 * Parsed messages for tests of the batch writer, written as one line each.
 */
#ifndef DSND_TESTS_SUPPORT_ITEMS_H
#define DSND_TESTS_SUPPORT_ITEMS_H

#include "base/arena.h"
#include "parse/return_path.h"
#include "store/write.h"

/* 2026-11-23 10:00 UTC: receipt of the messages unless they say otherwise. */
#define ITEMS_NOON INT64_C(1795428000000000)
#define ITEMS_HOUR INT64_C(3600000000)

/* What one message says; members left out are absent. */
struct item_spec {
    const char *signed_campaign; /* the return path is signed for it ... */
    const char *signed_for;      /* ... and this address, or */
    const char *signed_ref;      /* this own ref */
    const char *to;              /* or the envelope recipient is this, unsigned */
    enum report_kind kind;       /* DSN where 0 */
    enum report_feedback feedback;
    const char *recipient;
    const char *original;
    const char *final_recipient;
    enum report_action action;
    enum report_class klass;
    enum report_class cause; /* of EXPIRED */
    enum report_permanence permanence;
    enum report_fault fault;
    const char *provider;
    const char *diagnostic;
    const char *blocklist;
    const char *remote_mta;
    const char *reporting_mta;
    const char *subject;
    const char *envelope_id;
    const char *returned_id;
    const char *returned_to;
    const char *returned_path;
    const char *hint;
    const char *mail_from; /* nobody where NULL */
    bool by_anybody;
    int64_t us; /* of receipt; ITEMS_NOON where 0 */
    int body;   /* tells messages apart; made up where 0 */
    bool no_recipients;
};

enum { ITEMS_MAX = 4000 };

struct items {
    struct dsnd_arena arena;
    struct store_item item[ITEMS_MAX];
    size_t count;
    uint64_t next_sequence;
};

/* Keys that sign; static. */
const struct return_path_keys *items_keys(void);
/* Defaults of all settings. */
struct store_policy items_policy(void);

struct items *items_new(void);
void items_free(struct items *self);
void items_add(struct items *self, const struct item_spec *spec);

/* Write them as one batch of `journal` and check the result; returns it. */
struct store_batch_result items_write(struct store_conn *conn, const char *journal,
                                      const struct items *items);
/* The same without a check. */
enum dsnd_err items_try(struct store_conn *conn, const char *journal,
                        const struct store_item *items, size_t count,
                        struct store_batch_result *ret_result);

/* A connection that must succeed. */
struct store_conn *items_connect(void);

/* Every invariant between deliveries and the three tables of totals. */
void items_check_totals(void);

#endif
