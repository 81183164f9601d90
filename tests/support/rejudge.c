#include "tests/support/rejudge.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "store/pg.h"
#include "tests/support/saved.h"

const char rejudge_journal[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
struct items *rejudge_before;
struct items *rejudge_after;

/* ---- messages ---- */

static uint64_t random_state = 88172645463325252u;

static uint32_t next_random(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state % below);
}

/* What rules can change. */
static void judge_random(struct item_spec *spec)
{
    static const enum report_class classes[] = {
        REPORT_CLASS_MAILBOX_UNKNOWN, REPORT_CLASS_MAILBOX_UNKNOWN, REPORT_CLASS_MAILBOX_INACTIVE,
        REPORT_CLASS_DOMAIN_INVALID,  REPORT_CLASS_MAILBOX_FULL,    REPORT_CLASS_MAILBOX_FULL,
        REPORT_CLASS_THROTTLED,       REPORT_CLASS_POLICY_REFUSED,  REPORT_CLASS_REPUTATION_BLOCK,
        REPORT_CLASS_EXPIRED,         REPORT_CLASS_EXPIRED,
    };
    static const enum report_class causes[] = {REPORT_CLASS_NONE, REPORT_CLASS_MAILBOX_FULL,
                                               REPORT_CLASS_MAILBOX_UNKNOWN};
    static const char *const providers[] = {"google", "yahoo", NULL};

    if (spec->kind == REPORT_KIND_ARF || spec->action == REPORT_ACTION_DELIVERED)
        return;
    spec->klass = classes[next_random(11)];
    spec->cause = spec->klass == REPORT_CLASS_EXPIRED ? causes[next_random(3)] : REPORT_CLASS_NONE;
    spec->permanence = next_random(3) ? REPORT_PERMANENCE_PERMANENT : REPORT_PERMANENCE_TRANSIENT;
    spec->provider = providers[next_random(3)];
    spec->fault = next_random(2) ? REPORT_FAULT_RECIPIENT : REPORT_FAULT_SENDER;
}

struct item_spec rejudge_random(int i)
{
    static const char *const people[] = {
        "a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example", "f@x.example",
        "g@x.example", "h@x.example", "i@x.example", "j@x.example", "k@x.example", "l@x.example",
        "m@x.example", "n@x.example", "o@x.example", "p@x.example", "q@x.example", "r@x.example",
        "s@x.example", "t@x.example", "u@x.example", "v@x.example", "w@x.example", "x@x.example",
        "y@x.example", "z@x.example", "1@x.example", "2@x.example", "3@x.example", "4@x.example",
    };
    static const char *const campaigns[] = {"one", "two", "three"};
    static const char *const refs[] = {"u-1", "u-2"};
    static const char *const texts[] = {"no such user", "user unknown here"};
    struct item_spec spec = {
        .signed_campaign = next_random(8) ? campaigns[next_random(3)] : NULL,
        .recipient = people[next_random(30)],
        .original = next_random(3) ? NULL : people[next_random(30)],
        .diagnostic = texts[next_random(2)],
        .us = ITEMS_NOON + INT64_C(60000000) * 40 * i,
        .body = i + 1,
    };
    uint32_t kind = next_random(10);

    if (spec.signed_campaign && next_random(4) == 0)
        spec.signed_ref = refs[next_random(2)];
    else
        spec.signed_for = next_random(4) ? spec.recipient : people[next_random(30)];
    spec.action = kind == 0   ? REPORT_ACTION_DELIVERED
                  : kind <= 2 ? REPORT_ACTION_DELAYED
                              : REPORT_ACTION_FAILED;
    if (next_random(12) == 0) {
        spec.kind = REPORT_KIND_ARF;
        spec.feedback = REPORT_FEEDBACK_ABUSE;
        spec.klass = REPORT_CLASS_COMPLAINT;
        spec.action = REPORT_ACTION_NONE;
    }
    judge_random(&spec);
    return spec;
}

static struct report *own_report(struct items *items, size_t i)
{
    struct report *report = dsnd_arena_alloc(&items->arena, sizeof(*report));

    assert_non_null(report);
    *report = *items->item[i].report;
    items->item[i].report = report;
    return report;
}

/* Another parser finds other things in the same octets. */
static void parse_random(struct items *items, struct item_spec *spec)
{
    struct report *report;

    if (next_random(3) == 0 && spec->kind != REPORT_KIND_ARF)
        spec->action = (enum report_action)(1 + next_random(4));
    if (next_random(5) == 0)
        spec->recipient = "later@x.example";
    items_add(items, spec);
    report = own_report(items, items->count - 1);
    if (next_random(4) || spec->kind == REPORT_KIND_ARF || items->count < 3)
        return;
    if (next_random(2)) {
        report->recipient_count = 0;
        return;
    }
    report->recipients = dsnd_arena_array(&items->arena, 2, sizeof(*report->recipients));
    report->recipients[0] = items->item[0].report->recipients[0];
    report->recipients[1] = items->item[1].report->recipients[0];
    report->recipient_count = 2;
}

static void mark_judged(struct items *items)
{
    for (size_t i = 0; i < items->count; i++)
        for (size_t r = 0; r < items->item[i].report->recipient_count; r++)
            items->item[i].report->recipients[r].rule = DSND_STR("rule-y");
}

void rejudge_make(bool parsed)
{
    rejudge_before = items_new();
    rejudge_after = items_new();
    for (int i = 0; i < REJUDGE_MESSAGES; i++) {
        struct item_spec spec = rejudge_random(i);

        items_add(rejudge_before, &spec);
        if (next_random(3))
            judge_random(&spec);
        if (parsed)
            parse_random(rejudge_after, &spec);
        else
            items_add(rejudge_after, &spec);
    }
    mark_judged(rejudge_after);
}

void rejudge_drop(void)
{
    items_free(rejudge_before);
    items_free(rejudge_after);
}

/* One message a transaction, as they came. */
void rejudge_write(struct store_conn *conn, const struct items *items, size_t from, size_t to)
{
    struct store_policy policy = items_policy();

    if (items == rejudge_after)
        policy.rules_version = DSND_STR("test-2");
    for (size_t i = from; i < to; i++) {
        struct store_journal_position position = {.journal_id = rejudge_journal,
                                                  .sequence = items->item[i].sequence};
        struct store_batch_result result;

        if (store_write_batch(conn, &policy, &position, &items->item[i], 1, &result))
            fail_msg("%s", store_conn_error(conn));
    }
}

/* ---- runs ---- */

/* Messages are told by their texts: "body N". */
static const struct report *find_report(struct dsnd_str octets)
{
    size_t at = dsnd_str_find(octets, DSND_STR("body "));

    return rejudge_after->item[strtol(octets.ptr + at + 5, NULL, 10) - 1].report;
}

static enum dsnd_err judge(void *context, struct dsnd_str octets, struct dsnd_arena *arena,
                           struct report *report)
{
    struct rejudge *run = context;

    (void)arena;
    assert_int_equal(dsnd_str_present(octets), run->reparse);
    if (++run->judged == run->kill_at)
        (void)raise(SIGKILL);
    if (run->reparse)
        *report = *find_report(octets);
    return DSND_OK;
}

static void changed(void *context, const struct store_reclassified *change)
{
    struct rejudge *run = context;

    run->changed++;
    if (change->before && change->after)
        run->classes[change->before->klass][change->after->klass]++;
}

static void suppressed(void *context, const struct store_resuppressed *change)
{
    struct rejudge *run = context;

    (void)change;
    if (--run->resuppressed == run->kill_at)
        (void)raise(SIGKILL);
    if (run->between)
        run->between();
    run->between = NULL;
}

static bool progress(void *context, const struct store_reclassify_counts *counts)
{
    (void)context;
    (void)counts;
    return true;
}

/* Without raw messages judge gets the rows; what they are about tells the subject. */
static enum dsnd_err judge_rows(void *context, struct dsnd_str octets, struct dsnd_arena *arena,
                                struct report *report)
{
    struct rejudge *run = context;
    const struct report_recipient *r;

    (void)octets;
    (void)arena;
    if (++run->judged == run->kill_at)
        (void)raise(SIGKILL);
    if (!report->recipient_count)
        return DSND_OK;
    r = &rejudge_after->item[strtol(report->subject.ptr + 1, NULL, 10)].report->recipients[0];
    report->recipients[0].klass = r->klass;
    report->recipients[0].cause = r->cause;
    report->recipients[0].permanence = r->permanence;
    report->recipients[0].fault = r->fault;
    report->recipients[0].provider = r->provider;
    report->recipients[0].rule = r->rule;
    return DSND_OK;
}

struct store_reclassify_counts rejudge_run(struct rejudge *run, bool apply, int32_t batch)
{
    struct store_reclassify what = {
        .program = DSND_STR("test"),
        .campaign = dsnd_str_of(run->campaign),
        .from_us = run->from_us,
        .to_us = run->to_us,
        .reparse = run->reparse,
        .apply = apply,
        .batch = batch,
        .context = run,
        .judge = run->reparse ? judge : judge_rows,
        .changed = changed,
        .suppressed = suppressed,
        .progress = progress,
    };
    struct store_policy policy = items_policy();
    struct store_reclassify_counts counts;
    struct store_conn *conn = items_connect();
    enum dsnd_err err;

    policy.rules_version = dsnd_str_of(run->rules ? run->rules : "test-2");
    err = store_reclassify(conn, &policy, &what, &counts);
    if (err)
        fail_msg("%s: %s", dsnd_err_text(err), store_conn_error(conn));
    store_conn_free(conn);
    return counts;
}

void rejudge_name(struct items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        struct report *report = own_report(items, i);
        char *name = dsnd_arena_alloc(&items->arena, 16);

        assert_true(snprintf(name, 16, "m%zu", i) > 0);
        report->subject = dsnd_str_of(name);
    }
}

/* What the new rules make of it from the start becomes `expected`; the old ones' is stored. */
void rejudge_prepare(bool parsed)
{
    struct store_conn *conn;

    rejudge_make(parsed);
    rejudge_name(rejudge_before);
    rejudge_name(rejudge_after);
    saved_empty();
    conn = items_connect();
    rejudge_write(conn, rejudge_after, 0, REJUDGE_MESSAGES);
    saved_take("expected");
    saved_empty();
    store_conn_free(conn);
    conn = items_connect();
    rejudge_write(conn, rejudge_before, 0, REJUDGE_MESSAGES);
    store_conn_free(conn);
}
