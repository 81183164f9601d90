#include "api/metrics_filter.h"

#include <stddef.h>
#include <string.h>

#include "api/list.h"
#include "api/timestamp.h"
#include "base/clock.h"

enum { DEFAULT_DAYS = 30, ZONE_MAX = 64 };

#define US_PER_HOUR INT64_C(3600000000)
#define US_PER_QUARTER (US_PER_HOUR / 4)

static const char *const intervals[] = {"hour", "day", "none", NULL};
static const char *const times[] = {"reported", "sent", NULL};
static const char *const comparisons[] = {"previous", NULL};
static const char *const confidences[] = {"95", NULL};

static bool read_groups(struct request *request, struct metrics_query *query)
{
    struct dsnd_str list = query->group_by;
    int count = 0;

    while (dsnd_str_present(list)) {
        struct dsnd_str name = dsnd_str_cut(&list, ',');

        query->filter.by_provider |= dsnd_str_eq(name, DSND_STR("provider"));
        query->filter.by_class |= dsnd_str_eq(name, DSND_STR("class"));
        query->filter.by_campaign |= dsnd_str_eq(name, DSND_STR("campaign"));
        count++;
    }
    if (count == query->filter.by_provider + query->filter.by_class + query->filter.by_campaign &&
        count <= 2)
        return true;
    request_problem(request, 400, "group_by",
                    "group_by must be one or two of provider, class, campaign");
    return false;
}

/* "Etc/GMT+5": no other IANA name has digits, and with them anything would be a zone of POSIX. */
static bool is_offset(struct dsnd_str name)
{
    enum { HOURS_MAX = 14 };
    static const struct dsnd_str front = DSND_STR_INIT("Etc/GMT");
    struct dsnd_str rest = dsnd_str_slice(name, front.len, name.len);
    uint64_t hours;

    if (!dsnd_str_istarts(name, front) || !rest.len)
        return false;
    if (rest.ptr[0] == '+' || rest.ptr[0] == '-')
        rest = dsnd_str_slice(rest, 1, rest.len);
    return dsnd_str_to_u64(rest, HOURS_MAX, &hours) == DSND_OK;
}

/* IANA names have letters, "_", "-" and "/"; anything else is another kind of zone. */
static bool zone_has_form(struct dsnd_str name)
{
    if (is_offset(name))
        return true;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (!dsnd_is_alpha(c) && c != '_' && c != '-' && c != '/')
            return false;
    }
    return dsnd_str_eq(name, DSND_STR("UTC")) || dsnd_str_chr(name, '/') != SIZE_MAX;
}

static enum dsnd_err check_zone(struct request *request, struct store_conn *conn,
                                struct store_metrics_filter *filter, bool *ret_good)
{
    enum dsnd_err err =
        zone_has_form(filter->time_zone) ? store_metrics_zone(conn, filter) : DSND_ERR_NOT_FOUND;

    *ret_good = err == DSND_OK;
    if (err != DSND_ERR_NOT_FOUND)
        return err;
    request_problem(request, 400, "tz", "tz must be UTC or an IANA name such as Europe/Berlin");
    return DSND_OK;
}

/*
 * Without a campaign a series without a beginning would be all there is. Clocks differ, so the end
 * is a day from now; but not where as much before is to be compared with what there is.
 */
static enum dsnd_err set_defaults(struct request *request, struct metrics_query *query)
{
    struct store_metrics_filter *filter = &query->filter;
    int64_t now = dsnd_clock_now_us();
    char *from = dsnd_arena_alloc(&request->arena, DSND_RFC3339_SIZE);
    char *to = dsnd_arena_alloc(&request->arena, DSND_RFC3339_SIZE);

    if (!from || !to)
        return DSND_ERR_NOMEM;
    dsnd_clock_format(dsnd_str_present(filter->campaign) ? 0 : now - DEFAULT_DAYS * DSND_US_PER_DAY,
                      from);
    dsnd_clock_format(query->compare >= 0 ? now : now + DSND_US_PER_DAY, to);
    if (!dsnd_str_present(filter->from))
        filter->from = dsnd_str_of(from);
    if (!dsnd_str_present(filter->to))
        filter->to = dsnd_str_of(to);
    if (!dsnd_str_present(filter->time_zone))
        filter->time_zone = DSND_STR("UTC");
    return DSND_OK;
}

static enum dsnd_err print_time(struct request *request, int64_t us, struct dsnd_str *ret_text)
{
    char *text = dsnd_arena_alloc(&request->arena, DSND_RFC3339_SIZE);

    if (!text)
        return DSND_ERR_NOMEM;
    dsnd_clock_format(us, text);
    *ret_text = dsnd_str_of(text);
    return DSND_OK;
}

/*
 * Whole hours, or quarters where the zone is off by some; and the time of the same length before.
 * Both ends were printed by us, so they can be read.
 */
static enum dsnd_err set_ends(struct request *request, struct metrics_query *query)
{
    int64_t step = query->filter.whole_hours ? US_PER_HOUR : US_PER_QUARTER;
    int64_t from = 0;
    int64_t to = 0;
    enum dsnd_err err;

    if (timestamp_parse(query->filter.from, &from) || timestamp_parse(query->filter.to, &to))
        return DSND_ERR_NOMEM;
    from -= from % step;
    to += (step - to % step) % step;
    err = print_time(request, from, &query->filter.from);
    if (!err)
        err = print_time(request, to, &query->filter.to);
    query->previous = query->filter;
    query->previous.to = query->filter.from;
    if (!err)
        err = print_time(request, from > to - from ? from - (to - from) : 0, &query->previous.from);
    return err;
}

static enum dsnd_err complete(struct request *request, struct store_conn *conn,
                              struct metrics_query *query, bool *ret_good)
{
    enum dsnd_err err;

    *ret_good = read_groups(request, query);
    if (!*ret_good)
        return DSND_OK;
    err = set_defaults(request, query);
    if (!err)
        err = check_zone(request, conn, &query->filter, ret_good);
    query->filter.interval = (enum store_interval)query->interval;
    query->filter.by_sent = query->by == 1;
    return err ? err : set_ends(request, query);
}

enum dsnd_err metrics_filter_read(struct request *request, struct store_conn *conn,
                                  struct metrics_query *ret_query, bool *ret_good)
{
    static const struct param_spec specs[] = {
        {"campaign", PARAM_KEY, offsetof(struct metrics_query, filter.campaign), 0, 0, NULL},
        {"from", PARAM_TIME, offsetof(struct metrics_query, filter.from), 0, 0, NULL},
        {"to", PARAM_TIME, offsetof(struct metrics_query, filter.to), 0, 0, NULL},
        {"tz", PARAM_STRING, offsetof(struct metrics_query, filter.time_zone), 0, ZONE_MAX, NULL},
        {"by", PARAM_CHOICE, offsetof(struct metrics_query, by), 0, 0, times},
        {"interval", PARAM_CHOICE, offsetof(struct metrics_query, interval), 0, 0, intervals},
        {"group_by", PARAM_STRING, offsetof(struct metrics_query, group_by), 0, 64, NULL},
        {"compare", PARAM_CHOICE, offsetof(struct metrics_query, compare), 0, 0, comparisons},
        {"confidence", PARAM_CHOICE, offsetof(struct metrics_query, confidence), 0, 0, confidences},
        {"format", PARAM_CHOICE, offsetof(struct metrics_query, format), 0, 0, list_formats},
    };

    *ret_good = false;
    *ret_query = (struct metrics_query){
        .interval = STORE_INTERVAL_DAY, .compare = -1, .confidence = -1, .format = -1};
    if (!request_params(request, specs, sizeof(specs) / sizeof(*specs), ret_query))
        return DSND_OK;
    if (ret_query->format < 0)
        ret_query->format = (int)request->format;
    if (ret_query->compare >= 0 && ret_query->format != REQUEST_JSON) {
        request_problem(request, 400, "compare", "compare goes with JSON only");
        return DSND_OK;
    }
    return complete(request, conn, ret_query, ret_good);
}
