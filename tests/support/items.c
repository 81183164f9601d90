#include "tests/support/items.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/db.h"

const struct return_path_keys *items_keys(void)
{
    static struct return_path_keys keys;
    char error[256];

    if (!keys.count)
        assert_int_equal(
            return_path_keys_read(
                DSND_STR("k 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"),
                error, sizeof(error), &keys),
            DSND_OK);
    return &keys;
}

struct store_policy items_policy(void)
{
    return (struct store_policy){
        .rules_version = DSND_STR("test-1"),
        .duplicate_window_us = 7 * DSND_US_PER_DAY,
        .delay_horizon_us = 5 * DSND_US_PER_DAY,
        .keep_raw = true,
        .keys = items_keys(),
        .return_path_max_age_us = 60 * DSND_US_PER_DAY,
    };
}

struct items *items_new(void)
{
    struct items *self = calloc(1, sizeof(*self));

    assert_non_null(self);
    self->arena = DSND_ARENA_INIT(64 * 1024 * 1024);
    self->next_sequence = 1;
    return self;
}

void items_free(struct items *self)
{
    dsnd_arena_done(&self->arena);
    free(self);
}

static void *take(struct items *self, size_t octets)
{
    void *p = dsnd_arena_alloc(&self->arena, octets);

    assert_non_null(p);
    return p;
}

static struct report *make_report(struct items *self, const struct item_spec *spec)
{
    struct report *report = take(self, sizeof(*report));

    report->kind = spec->kind ? spec->kind : REPORT_KIND_DSN;
    report->feedback = spec->feedback;
    report->is_by_anybody = spec->by_anybody;
    report->subject = dsnd_str_of(spec->subject);
    report->reporting_mta = dsnd_str_of(spec->reporting_mta);
    report->envelope_id = dsnd_str_of(spec->envelope_id);
    report->returned.message_id = dsnd_str_of(spec->returned_id);
    report->returned.to = dsnd_str_of(spec->returned_to);
    report->returned.return_path = dsnd_str_of(spec->returned_path);
    if (spec->hint) {
        report->returned.hints[0].name = DSND_STR("X-Campaign-ID");
        report->returned.hints[0].value = dsnd_str_of(spec->hint);
        report->returned.hint_count = 1;
    }
    if (spec->no_recipients)
        return report;
    report->recipients = take(self, sizeof(*report->recipients));
    report->recipient_count = 1;
    report->recipients[0] = (struct report_recipient){
        .recipient = dsnd_str_of(spec->recipient),
        .original_recipient = dsnd_str_of(spec->original),
        .final_recipient = dsnd_str_of(spec->final_recipient),
        .action = spec->action,
        .klass = spec->klass,
        .cause = spec->cause,
        .permanence = spec->permanence,
        .fault = spec->fault,
        .provider = dsnd_str_of(spec->provider),
        .diagnostic = dsnd_str_of(spec->diagnostic),
        .blocklist = dsnd_str_of(spec->blocklist),
        .remote_mta = dsnd_str_of(spec->remote_mta),
        .rule = DSND_STR("rule-x"),
        .matched = DSND_STR("text"),
        .status = {5, 1, 1},
        .smtp_code = 550,
    };
    return report;
}

static void address_item(struct items *self, const struct item_spec *spec, struct store_item *item)
{
    struct dsnd_str *to = take(self, sizeof(*to));
    struct return_path *path = take(self, sizeof(*path));
    char *address = take(self, RETURN_PATH_SIZE);

    if (spec->signed_campaign) {
        struct return_path_request request = {.campaign = dsnd_str_of(spec->signed_campaign),
                                              .recipient = dsnd_str_of(spec->signed_for),
                                              .ref = dsnd_str_of(spec->signed_ref),
                                              .domain = DSND_STR("b.example.com")};

        assert_int_equal(return_path_mint(items_keys(), &request, item->received_us, address),
                         DSND_OK);
        *to = dsnd_str_of(address);
    } else {
        *to = dsnd_str_of(spec->to ? spec->to : "bounce@b.example.com");
    }
    return_path_verify(items_keys(), *to, item->received_us, 60 * DSND_US_PER_DAY, path);
    assert_int_equal(path->verdict == RETURN_PATH_SIGNED, spec->signed_campaign != NULL);
    item->envelope_to = to;
    item->return_paths = path;
    item->envelope_to_count = 1;
}

void items_add(struct items *self, const struct item_spec *spec)
{
    struct store_item *item = &self->item[self->count];
    char *octets = take(self, 256);
    int len;

    assert_true(self->count < ITEMS_MAX);
    self->count++;
    *item = (struct store_item){
        .sequence = self->next_sequence++,
        .received_us = spec->us ? spec->us : ITEMS_NOON,
        .source = 1,
        .peer = DSND_STR("192.0.2.7"),
        .helo = DSND_STR("mx.example.net"),
        .mail_from = dsnd_str_of(spec->mail_from ? spec->mail_from : ""),
    };
    len = snprintf(octets, 256, "Received: by way %llu\r\nSubject: bounce\r\n\r\nbody %d\r\n",
                   (unsigned long long)item->sequence,
                   spec->body ? spec->body : 1000000 + (int)item->sequence);
    assert_true(len > 0);
    item->octets = dsnd_str_make(octets, (size_t)len);
    item->report = make_report(self, spec);
    address_item(self, spec, item);
}

enum dsnd_err items_try(struct store_conn *conn, const char *journal,
                        const struct store_item *items, size_t count,
                        struct store_batch_result *ret_result)
{
    struct store_policy policy = items_policy();
    struct store_journal_position position = {
        .journal_id = journal,
        .sequence = count ? items[count - 1].sequence : 0,
        .segment = 1,
        .offset = count ? items[count - 1].sequence * 100 : 0,
    };

    return store_write_batch(conn, &policy, &position, items, count, ret_result);
}

struct store_batch_result items_write(struct store_conn *conn, const char *journal,
                                      const struct items *items)
{
    struct store_batch_result result = {0};

    if (items_try(conn, journal, items->item, items->count, &result))
        fail_msg("%s", store_conn_error(conn));
    return result;
}

struct store_conn *items_connect(void)
{
    struct store_conn *conn = NULL;

    if (store_connect(db_url(), "writer", &conn))
        fail_msg("%s", conn ? store_conn_error(conn) : "no memory");
    return conn;
}

/* Counts over the deliveries themselves, in the shape of the totals. */
#define TRUTH                                                                                     \
    "WITH outcome AS (SELECT campaign_id, total_bucket(outcome_at) h, provider p, "               \
    "class c, count(*) FILTER (WHERE state = 4) failed, "                                         \
    "count(*) FILTER (WHERE state = 4 AND kind = 1) hard, "                                       \
    "count(*) FILTER (WHERE state = 4 AND kind = 2) soft, "                                       \
    "count(*) FILTER (WHERE state = 4 AND kind = 3) block, "                                      \
    "count(*) FILTER (WHERE state = 3) delivered, count(*) FILTER (WHERE state = 2) handed_off, " \
    "count(*) FILTER (WHERE state = 1 AND delay_expired_at IS NULL) delay_open, "                 \
    "0::bigint \"delayed\", 0::bigint complained FROM delivery GROUP BY 1, 2, 3, 4 "              \
    "UNION ALL SELECT campaign_id, total_bucket(delayed_at), delayed_provider, "                  \
    "delayed_class, 0, 0, 0, 0, 0, 0, 0, count(*), 0 FROM delivery WHERE delayed_at IS NOT NULL " \
    "GROUP BY 1, 2, 3, 4 "                                                                        \
    "UNION ALL SELECT campaign_id, total_bucket(complained_at), "                                 \
    "complained_provider, 15, 0, 0, 0, 0, 0, 0, 0, 0, count(*) FROM delivery "                    \
    "WHERE complained_at IS NOT NULL GROUP BY 1, 2, 3, 4) "
#define SUMS                                                                           \
    "sum(failed), sum(hard), sum(soft), sum(block), sum(delivered), sum(handed_off), " \
    "sum(delay_open), sum(\"delayed\"), sum(complained)"
#define NONZERO "HAVING (" SUMS ") <> (0, 0, 0, 0, 0, 0, 0, 0, 0) "

/* By the time of sending: what the deliveries say. */
#define SENT_SUMS "sum(sent), " SUMS
#define ZEROS "0, 0, 0, 0, 0, 0, 0, 0, 0, 0"
#define COHORT                                                                                    \
    "WITH d AS (SELECT *, coalesce(date_bin('15 minutes', sent_at, '2000-01-01 00:00Z'), "        \
    "'-infinity') h FROM delivery), truth AS (SELECT campaign_id, h, provider p, class c, "       \
    "(state = 4)::int failed, (state = 4 AND kind = 1)::int hard, "                               \
    "(state = 4 AND kind = 2)::int soft, (state = 4 AND kind = 3)::int block, "                   \
    "(state = 3)::int delivered, (state = 2)::int handed_off, "                                   \
    "(state = 1 AND delay_expired_at IS NULL)::int delay_open, 0 \"delayed\", 0 complained FROM " \
    "d "                                                                                          \
    "UNION ALL SELECT campaign_id, h, delayed_provider, delayed_class, 0, 0, 0, 0, 0, 0, 0, "     \
    "1, 0 FROM d WHERE delayed_at IS NOT NULL "                                                   \
    "UNION ALL SELECT campaign_id, h, complained_provider, 15, 0, 0, 0, 0, 0, 0, 0, 0, 1 "        \
    "FROM d WHERE complained_at IS NOT NULL) "
#define ROLL                                                                                     \
    "WITH base AS (SELECT 0 basis, * FROM total_hour UNION ALL SELECT 1, * FROM total_cohort), " \
    "parts AS (SELECT b.basis, r.campaign, r.dims, "                                             \
    "CASE WHEN r.dims = 4 THEN hour ELSE date_trunc('hour', hour, 'UTC') END h, r.p, r.c, "      \
    "b.sent, failed, hard, soft, block, delivered, handed_off, delay_open, \"delayed\", "        \
    "complained FROM base b CROSS JOIN LATERAL (VALUES (0, campaign_id, 0, '', 0), "             \
    "(0, -1, 0, '', 0), (0, -1, 1, provider, 0), (0, -1, 2, '', class), (1, -1, 0, '', 0), "     \
    "(1, -1, 1, provider, 0), (1, -1, 2, '', class), (1, -1, 3, provider, class), "              \
    "(0, -1, 4, '', 0), (1, -1, 4, '', 0)) "                                                     \
    "r (of, campaign, dims, p, c) WHERE r.of = b.basis) "
#define DELAYS                                                                                   \
    "WITH truth AS (SELECT x.id, provider, sum((state = 1 AND delay_expired_at IS NULL)::int), " \
    "sum((state = 2)::int), sum((state = 3)::int), sum((state = 4)::int), "                      \
    "sum((state = 1 AND delay_expired_at IS NOT NULL)::int) FROM delivery d "                    \
    "CROSS JOIN LATERAL (VALUES (d.campaign_id), (-1)) x (id) "                                  \
    "WHERE delayed_at IS NOT NULL GROUP BY 1, 2) "
#define OPEN                                                                            \
    "WITH truth AS (SELECT total_bucket(delayed_at), provider, count(*) FROM delivery " \
    "WHERE state = 1 AND delay_expired_at IS NULL AND delayed_at IS NOT NULL GROUP BY 1, 2) "

void items_check_totals(void)
{
    static const char *const differences[] = {
        TRUTH "SELECT count(*) FROM ((SELECT campaign_id, h, p, c::int, " SUMS
              " FROM outcome GROUP BY 1, 2, 3, 4 " NONZERO
              "EXCEPT SELECT campaign_id, hour, provider, class::int, " SUMS
              " FROM total_hour GROUP BY 1, 2, 3, 4) UNION ALL "
              "(SELECT campaign_id, hour, provider, class::int, " SUMS
              " FROM total_hour GROUP BY 1, 2, 3, 4 " NONZERO
              "EXCEPT SELECT campaign_id, h, p, c::int, " SUMS
              " FROM outcome GROUP BY 1, 2, 3, 4)) d",
        TRUTH "SELECT count(*) FROM ((SELECT campaign_id, p, c::int, " SUMS
              " FROM outcome GROUP BY 1, 2, 3 " NONZERO
              "EXCEPT SELECT campaign_id, provider, class::int, " SUMS
              " FROM total_breakdown GROUP BY 1, 2, 3) UNION ALL "
              "(SELECT campaign_id, provider, class::int, " SUMS
              " FROM total_breakdown GROUP BY 1, 2, 3 " NONZERO
              "EXCEPT SELECT campaign_id, p, c::int, " SUMS " FROM outcome GROUP BY 1, 2, 3)) d",
        TRUTH "SELECT count(*) FROM ((SELECT campaign_id, " SUMS " FROM outcome GROUP BY 1 " NONZERO
              "EXCEPT SELECT campaign_id, " SUMS " FROM total_campaign GROUP BY 1) UNION ALL "
              "(SELECT campaign_id, " SUMS " FROM total_campaign GROUP BY 1 " NONZERO
              "EXCEPT SELECT campaign_id, " SUMS " FROM outcome GROUP BY 1)) d",
        "SELECT count(*) FROM ((SELECT hour, provider, class, sum(sent), " SUMS
        ", sum(statuses), sum(proven) FROM total_hour GROUP BY 1, 2, 3 EXCEPT "
        "SELECT hour, provider, class, sum(sent), " SUMS ", sum(statuses), sum(proven) "
        "FROM total_hour_all GROUP BY 1, 2, 3)) d",
        "SELECT (SELECT coalesce(sum(statuses), 0) FROM total_hour_all) - (SELECT count(*) FROM "
        "status)",
        "SELECT count(*) FROM total_campaign WHERE failed <> hard + soft + block",
        COHORT "SELECT count(*) FROM ((SELECT campaign_id, h, p, c, " SUMS
               " FROM truth GROUP BY 1, 2, 3, 4 HAVING (" SUMS ") <> ("
               "0, 0, 0, 0, 0, 0, 0, 0, 0"
               ") EXCEPT SELECT campaign_id, hour, provider, class, " SUMS
               " FROM total_cohort GROUP BY 1, 2, 3, 4) UNION ALL "
               "(SELECT campaign_id, hour, provider, class, " SUMS
               " FROM total_cohort GROUP BY 1, 2, 3, 4 HAVING (" SUMS ") <> ("
               "0, 0, 0, 0, 0, 0, 0, 0, 0"
               ") EXCEPT SELECT campaign_id, h, p, c, " SUMS " FROM truth GROUP BY 1, 2, 3, 4)) d",
        ROLL "SELECT count(*) FROM ((SELECT basis, campaign, dims, h, p, c, " SENT_SUMS
             " FROM parts GROUP BY 1, 2, 3, 4, 5, 6 HAVING (" SENT_SUMS ") <> (" ZEROS
             ") EXCEPT SELECT basis, campaign_id, dims, hour, provider, class, " SENT_SUMS
             " FROM total_roll GROUP BY 1, 2, 3, 4, 5, 6) UNION ALL "
             "(SELECT basis, campaign_id, dims, hour, provider, class, " SENT_SUMS
             " FROM total_roll GROUP BY 1, 2, 3, 4, 5, 6 HAVING (" SENT_SUMS ") <> (" ZEROS
             ") EXCEPT SELECT basis, campaign, dims, h, p, c, " SENT_SUMS
             " FROM parts GROUP BY 1, 2, 3, 4, 5, 6)) d",
        DELAYS "SELECT count(*) FROM (SELECT * FROM truth EXCEPT SELECT * FROM total_delay) d",
        DELAYS "SELECT count(*) FROM (SELECT * FROM total_delay "
               "WHERE open + handed_off + delivered + failed + expired <> 0 "
               "EXCEPT SELECT * FROM truth) d",
        OPEN "SELECT count(*) FROM (SELECT * FROM truth EXCEPT SELECT * FROM total_delay_slot) d",
        OPEN "SELECT count(*) FROM (SELECT * FROM total_delay_slot WHERE open <> 0 "
             "EXCEPT SELECT * FROM truth) d",
        "SELECT (SELECT count(*) FROM status) - (SELECT coalesce(sum(statuses), 0) "
        "FROM total_campaign)",
        "SELECT (SELECT count(*) FROM status WHERE evidence > 0) - "
        "(SELECT coalesce(sum(proven), 0) FROM total_hour)",
    };

    for (size_t i = 0; i < sizeof(differences) / sizeof(*differences); i++)
        if (db_int(differences[i]) != 0)
            fail_msg("totals differ from deliveries: check %zu", i);
}
