/*
 * The batch writer alone, and then the queries of the API over what it wrote. Run by store.sh.
 *
 *   store_bench DELIVERIES BATCH CAMPAIGNS DAYS
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/clock.h"
#include "store/query_campaign.h"
#include "store/query_metrics.h"
#include "store/query_status.h"
#include "store/query_suppression.h"
#include "tests/support/db.h"
#include "tests/support/items.h"

enum { RUNS = 200, P50 = RUNS / 2, P99 = RUNS * 99 / 100, CHECKS = 10000, NAME_SIZE = 48 };

struct plan {
    uint64_t deliveries;
    uint64_t batch;
    uint64_t campaigns;
    uint64_t days;
};

static int64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * DSND_US_PER_S + t.tv_nsec / 1000;
}

static const enum report_class classes[] = {
    REPORT_CLASS_MAILBOX_UNKNOWN, REPORT_CLASS_MAILBOX_FULL,     REPORT_CLASS_THROTTLED,
    REPORT_CLASS_NETWORK,         REPORT_CLASS_REPUTATION_BLOCK, REPORT_CLASS_CONTENT_BLOCK,
};
static const char *const providers[] = {"google", "microsoft", "yahoo", "gmx", "apple", NULL};

static const char *name(struct items *items, const char *before, uint64_t n, const char *after)
{
    char *text = dsnd_arena_alloc(&items->arena, NAME_SIZE);

    assert_non_null(text);
    assert_true(snprintf(text, NAME_SIZE, "%s%llu%s", before, (unsigned long long)n, after) > 0);
    return text;
}

/* Every delivery once, campaign after campaign over the days; a tenth are delays. */
static void add(struct items *items, const struct plan *plan, uint64_t n)
{
    const char *address = name(items, "user", n, "@example.net");
    uint64_t campaign = n * plan->campaigns / plan->deliveries;
    int64_t span = (int64_t)plan->days * DSND_US_PER_DAY;

    items_add(
        items,
        &(struct item_spec){
            .signed_campaign = name(items, "campaign", campaign, ""),
            .signed_for = address,
            .recipient = address,
            .action = n % 10 ? REPORT_ACTION_FAILED : REPORT_ACTION_DELAYED,
            .klass = classes[n * 7 % (sizeof(classes) / sizeof(*classes))],
            .permanence = REPORT_PERMANENCE_PERMANENT,
            .provider = providers[n * 5 % (sizeof(providers) / sizeof(*providers))],
            .diagnostic = "smtp; 550 5.1.1 The email account that you tried to reach does "
                          "not exist. Please try double-checking the address",
            .us = dsnd_clock_now_us() - span + (int64_t)n * (span / (int64_t)plan->deliveries),
            .body = (int)n,
        });
}

static void write_all(const struct plan *plan, struct store_conn *conn)
{
    int64_t busy = 0;
    int64_t cpu = 0;
    uint64_t sequence = 1;

    for (uint64_t n = 0; n < plan->deliveries;) {
        struct items *items = items_new();
        int64_t start;
        clock_t cpu_start;

        items->next_sequence = sequence;
        while (n < plan->deliveries && items->count < plan->batch)
            add(items, plan, n++);
        sequence = items->next_sequence;
        cpu_start = clock();
        start = now_us();
        assert_int_equal(items_write(conn, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", items).reports,
                         items->count);
        busy += now_us() - start;
        cpu += (int64_t)(clock() - cpu_start);
        items_free(items);
    }
    printf("write     %8.0f messages/s, batches of %llu, %.1f us CPU of the writer a message\n",
           (double)plan->deliveries * 1e6 / (double)busy, (unsigned long long)plan->batch,
           (double)cpu * 1e6 / CLOCKS_PER_SEC / (double)plan->deliveries);
}

/* ---- queries ---- */

static char month_ago[DSND_RFC3339_SIZE];
static char tomorrow[DSND_RFC3339_SIZE];

static enum dsnd_err ask_campaign(struct store_conn *conn, struct store_rows **ret_rows)
{
    return store_campaign_get(conn, DSND_STR("campaign0"), ret_rows);
}

static enum dsnd_err ask_campaigns(struct store_conn *conn, struct store_rows **ret_rows)
{
    return store_campaign_list(conn, &(struct store_campaign_filter){0}, DSND_STR_ABSENT, 100,
                               ret_rows);
}

static enum dsnd_err ask_series(struct store_conn *conn, bool one, enum store_interval interval,
                                struct store_rows **ret_rows)
{
    struct store_metrics_filter filter = {
        .campaign = one ? DSND_STR("campaign0") : DSND_STR_ABSENT,
        .from = dsnd_str_of(month_ago),
        .to = dsnd_str_of(tomorrow),
        .time_zone = DSND_STR("Europe/Berlin"),
        .interval = interval,
    };

    return store_metrics(conn, &filter, 10000, ret_rows);
}

static enum dsnd_err ask_hours(struct store_conn *conn, struct store_rows **ret_rows)
{
    return ask_series(conn, true, STORE_INTERVAL_HOUR, ret_rows);
}

static enum dsnd_err ask_days_of_all(struct store_conn *conn, struct store_rows **ret_rows)
{
    return ask_series(conn, false, STORE_INTERVAL_DAY, ret_rows);
}

static enum dsnd_err ask_statuses(struct store_conn *conn, struct store_rows **ret_rows)
{
    return store_status_list(conn, &(struct store_status_filter){.klass = -1, .action = -1},
                             DSND_STR_ABSENT, 100, ret_rows);
}

static enum dsnd_err ask_statuses_of_campaign(struct store_conn *conn, struct store_rows **ret_rows)
{
    return store_status_list(
        conn,
        &(struct store_status_filter){.campaign = DSND_STR("campaign0"), .klass = -1, .action = -1},
        DSND_STR_ABSENT, 100, ret_rows);
}

static enum dsnd_err ask_statuses_of_recipient(struct store_conn *conn,
                                               struct store_rows **ret_rows)
{
    return store_status_list(
        conn,
        &(struct store_status_filter){
            .recipient = DSND_STR("user77@example.net"), .klass = -1, .action = -1},
        DSND_STR_ABSENT, 100, ret_rows);
}

static enum dsnd_err ask_check(struct store_conn *conn, struct store_rows **ret_rows)
{
    const struct dsnd_str address = DSND_STR("user77@example.net");

    return store_suppression_check(conn, &address, 1, ret_rows);
}

static enum dsnd_err ask_checks(struct store_conn *conn, struct store_rows **ret_rows)
{
    static char text[CHECKS][NAME_SIZE];
    static struct dsnd_str addresses[CHECKS];

    for (int i = 0; i < CHECKS && !addresses[CHECKS - 1].len; i++) {
        assert_true(snprintf(text[i], NAME_SIZE, "user%d@example.net", i * 3) > 0);
        addresses[i] = dsnd_str_of(text[i]);
    }
    return store_suppression_check(conn, addresses, CHECKS, ret_rows);
}

static enum dsnd_err ask_changes(struct store_conn *conn, struct store_rows **ret_rows)
{
    return store_suppression_changes(conn, 1000, 1000, ret_rows);
}

static enum dsnd_err ask_suppressions(struct store_conn *conn, struct store_rows **ret_rows)
{
    return store_suppression_list(conn,
                                  &(struct store_suppression_filter){.klass = -1, .pending = -1},
                                  DSND_STR_ABSENT, DSND_STR_ABSENT, 100, ret_rows);
}

static const struct question {
    const char *what;
    enum dsnd_err (*ask)(struct store_conn *conn, struct store_rows **ret_rows);
    double p99_ms; /* more is a failure */
} questions[] = {
    {"campaign", ask_campaign, 20},
    {"100 campaigns", ask_campaigns, 50},
    {"30 days by hour, one campaign", ask_hours, 20},
    {"30 days by day, all campaigns", ask_days_of_all, 50},
    {"100 statuses", ask_statuses, 20},
    {"100 statuses of a campaign", ask_statuses_of_campaign, 20},
    {"statuses of a recipient", ask_statuses_of_recipient, 20},
    {"1 address to check", ask_check, 2},
    {"10,000 addresses to check", ask_checks, 100},
    {"100 suppressions", ask_suppressions, 20},
    {"1,000 changes", ask_changes, 20},
};

static int compare_times(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;

    return a < b ? -1 : a > b;
}

/* True where it was as fast as it has to be. */
static bool time_question(struct store_conn *conn, const struct question *question)
{
    int64_t took[RUNS];
    size_t rows = 0;

    for (int i = 0; i < RUNS; i++) {
        struct store_rows *result = NULL;
        int64_t start = now_us();

        if (question->ask(conn, &result))
            fail_msg("%s: %s", question->what, store_conn_error(conn));
        took[i] = now_us() - start;
        rows = store_rows_count(result);
        store_rows_free(result);
    }
    qsort(took, RUNS, sizeof(*took), compare_times);
    printf("query     %7.2f ms p50 %7.2f ms p99 %6zu rows  %s\n", (double)took[P50] / 1e3,
           (double)took[P99] / 1e3, rows, question->what);
    return (double)took[P99] / 1e3 <= question->p99_ms;
}

/* Tables that grow and were read whole: there must be none, however fast it was today. */
static bool check_scans(void)
{
    const char *scanned;

    db_exec("SELECT pg_sleep(1.5)"); /* counts of other sessions arrive within a second */
    db_exec("SELECT pg_stat_clear_snapshot()");
    scanned = db_text("SELECT coalesce(string_agg(relname || ' (' || seq_scan || ' times)', ', ' "
                      "ORDER BY relname), '') FROM pg_stat_user_tables "
                      "WHERE seq_scan > 0 AND n_live_tup > 5000");
    if (*scanned)
        printf("          read whole: %s\n", scanned);
    return !*scanned;
}

static uint64_t number(const char *text)
{
    char *end = NULL;
    unsigned long long n = strtoull(text, &end, 10);

    if (*end || !n) {
        (void)fprintf(stderr, "store_bench: \"%s\" is no number above 0\n", text);
        exit(2);
    }
    return n;
}

int main(int argc, char **argv)
{
    struct plan plan;
    struct store_conn *conn;
    int status = 0;

    if (argc != 5) {
        (void)fputs("usage: store_bench DELIVERIES BATCH CAMPAIGNS DAYS\n", stderr);
        return 2;
    }
    plan = (struct plan){number(argv[1]), number(argv[2]), number(argv[3]), number(argv[4])};
    if (plan.batch > ITEMS_MAX)
        plan.batch = ITEMS_MAX;
    dsnd_clock_format(dsnd_clock_now_us() - 30 * DSND_US_PER_DAY, month_ago);
    dsnd_clock_format(dsnd_clock_now_us() + DSND_US_PER_DAY, tomorrow);
    db_fresh();
    conn = items_connect();
    write_all(&plan, conn);
    db_exec("ANALYZE");
    db_exec("SELECT pg_stat_reset()");
    db_exec("ANALYZE"); /* the reset forgot how many rows there are */
    for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++)
        if (!time_question(conn, &questions[i])) {
            printf("          too slow: at most %.0f ms\n", questions[i].p99_ms);
            status = 1;
        }
    store_conn_free(conn);
    return check_scans() ? status : 1;
}
