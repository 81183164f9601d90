#include "cmd/rules_unmatched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"
#include "cmd/commands.h"
#include "store/query_unmatched.h"
#include "store/signature.h"

enum {
    PAGE = 5000,
    TEXTS_MAX = 200000, /* different ones; more are counted, not listed */
    SLOTS = 1 << 19,    /* a power of two, at least twice TEXTS_MAX */
    ARENA_MAX = 1 << 30,
    SCRATCH_MAX = 1 << 20,
    TIME_MAX = 40,
};

/* One text without names, of one provider. */
struct text {
    struct dsnd_str signature;
    struct dsnd_str provider;
    struct dsnd_str rule;
    struct dsnd_str sample; /* with addresses masked */
    uint64_t count;
    char first[TIME_MAX];
    char last[TIME_MAX];
};

struct list {
    struct dsnd_arena arena;
    struct dsnd_arena scratch; /* of one record */
    struct text *texts;
    size_t count;
    uint32_t *slots; /* index into texts + 1; 0: free */
    uint64_t records;
    uint64_t left_out;
};

static uint64_t hash_of(struct dsnd_str signature, struct dsnd_str provider)
{
    static const struct siphash_key key; /* the texts are bounded, so are the collisions */

    return siphash(&key, signature) ^ siphash(&key, provider) << 1;
}

static enum dsnd_err add_text(struct list *self, struct dsnd_str signature,
                              const struct store_rows *rows, size_t row, struct text **ret_text)
{
    struct text *text = &self->texts[self->count];
    enum dsnd_err err = store_text_mask(
        &self->scratch, store_rows_value(rows, row, STORE_UNMATCHED_DIAGNOSTIC), &text->sample);

    if (!err)
        err = dsnd_arena_copy(&self->arena, signature, &text->signature);
    if (!err)
        err = dsnd_arena_copy(&self->arena, text->sample, &text->sample);
    if (!err)
        err = dsnd_arena_copy(&self->arena, store_rows_value(rows, row, STORE_UNMATCHED_PROVIDER),
                              &text->provider);
    if (!err)
        err = dsnd_arena_copy(&self->arena, store_rows_value(rows, row, STORE_UNMATCHED_RULE),
                              &text->rule);
    if (!err)
        err = dsnd_str_copy(store_rows_value(rows, row, STORE_UNMATCHED_AT), text->first,
                            sizeof(text->first));
    if (err)
        return err;
    self->count++;
    *ret_text = text;
    return DSND_OK;
}

static enum dsnd_err take(struct list *self, const struct store_rows *rows, size_t row)
{
    struct dsnd_str provider = store_rows_value(rows, row, STORE_UNMATCHED_PROVIDER);
    struct dsnd_str signature;
    struct text *text = NULL;
    enum dsnd_err err = store_text_signature(
        &self->scratch, store_rows_value(rows, row, STORE_UNMATCHED_DIAGNOSTIC), &signature);
    size_t at = err ? 0 : hash_of(signature, provider) & (SLOTS - 1);

    for (; !err && self->slots[at]; at = (at + 1) & (SLOTS - 1)) {
        text = &self->texts[self->slots[at] - 1];
        if (dsnd_str_eq(text->signature, signature) && dsnd_str_eq(text->provider, provider))
            break;
        text = NULL;
    }
    self->records++;
    if (!err && !text && self->count == TEXTS_MAX) {
        self->left_out++;
        return DSND_OK;
    }
    if (!err && !text) {
        err = add_text(self, signature, rows, row, &text);
        self->slots[at] = (uint32_t)self->count;
    }
    if (err)
        return err;
    text->count++;
    return dsnd_str_copy(store_rows_value(rows, row, STORE_UNMATCHED_AT), text->last,
                         sizeof(text->last));
}

/* Rules that ask for no text, and those that believe themselves only for want of a better one. */
static size_t general_rules(const struct rule_set *rules, struct dsnd_str *ids)
{
    size_t count = 0;

    for (size_t i = 0; i < rule_set_count(rules); i++) {
        struct rule_info info = rule_set_info(rules, i);

        if (info.klass != REPORT_CLASS_NONE && (info.pattern_count == 0 || info.is_weak))
            ids[count++] = info.id;
    }
    return count;
}

static enum dsnd_err read_all(struct list *self, struct store_conn *conn,
                              const struct rule_set *rules, const struct rules_unmatched *what)
{
    struct dsnd_str *ids = dsnd_arena_array(&self->arena, rule_set_count(rules) + 1, sizeof(*ids));
    struct store_unmatched_filter filter = {what->from_us, what->to_us, ids,
                                            ids ? general_rules(rules, ids) : 0};
    enum dsnd_err err = ids ? DSND_OK : DSND_ERR_NOMEM;
    int64_t after = 0;
    size_t count = PAGE;

    while (!err && count == PAGE) {
        struct store_rows *rows = NULL;

        err = store_unmatched_list(conn, &filter, after, PAGE, &rows);
        count = err ? 0 : store_rows_count(rows);
        for (size_t i = 0; i < count && !err; i++) {
            dsnd_arena_clear(&self->scratch);
            err = take(self, rows, i);
        }
        if (count)
            after = store_rows_int(rows, count - 1, STORE_UNMATCHED_ID);
        store_rows_free(rows);
    }
    return err;
}

static int compare_texts(const void *left, const void *right)
{
    const struct text *a = left;
    const struct text *b = right;

    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return dsnd_str_cmp(a->signature, b->signature);
}

static void print_all(struct list *self, size_t limit)
{
    qsort(self->texts, self->count, sizeof(*self->texts), compare_texts);
    for (size_t i = 0; i < self->count && i < limit; i++) {
        const struct text *t = &self->texts[i];

        (void)printf("%llu\t%.*s\t%s\t%s\t%.*s\t%.*s\n", (unsigned long long)t->count,
                     DSND_STR_ARG(t->provider), t->first, t->last, DSND_STR_ARG(t->rule),
                     DSND_STR_ARG(t->sample));
    }
    (void)fprintf(stderr, "%llu records, %zu different texts%s\n",
                  (unsigned long long)self->records, self->count,
                  self->left_out ? " and more: ask for a shorter time" : "");
}

int rules_unmatched(const struct rule_set *rules, const struct rules_unmatched *what)
{
    struct list list = {.arena = DSND_ARENA_INIT(ARENA_MAX),
                        .scratch = DSND_ARENA_INIT(SCRATCH_MAX)};
    struct store_conn *conn = NULL;
    enum dsnd_err err = DSND_OK;

    list.texts = calloc(TEXTS_MAX, sizeof(*list.texts));
    list.slots = calloc(SLOTS, sizeof(*list.slots));
    if (!list.texts || !list.slots)
        err = DSND_ERR_NOMEM;
    if (!err)
        err = store_connect(what->database, "dsnd rules", &conn);
    if (!err)
        err = read_all(&list, conn, rules, what);
    if (err)
        (void)fprintf(stderr, "dsnd rules: %s %s\n", dsnd_err_text(err),
                      conn ? store_conn_error(conn) : "");
    else
        print_all(&list, what->limit);
    store_conn_free(conn);
    dsnd_arena_done(&list.arena);
    dsnd_arena_done(&list.scratch);
    free(list.texts);
    free(list.slots);
    return err ? EXIT_FAILED : EXIT_DONE;
}
