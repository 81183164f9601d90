/* Arbitrary octets as the lines of a log; the first octet says of which format. */
#include <stdint.h>

#include "parse/mta_log.h"

enum { FUZZ_ARENA_MAX = 1 << 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static int64_t utc(void *context, const struct mta_civil *civil)
{
    (void)context;
    require(civil->year > 0 && civil->month >= 1 && civil->month <= 12 && civil->day >= 1);
    return mta_time_us(civil, 0);
}

static void check(const struct mta_event *event)
{
    require(event->kind <= MTA_EVENT_REMOVED);
    require(event->recipient_count <= MTA_LOG_RECIPIENTS_MAX);
    if (event->kind != MTA_EVENT_RESULT)
        return;
    require(event->action != REPORT_ACTION_NONE || event->feedback != REPORT_FEEDBACK_NONE);
    require(dsnd_str_present(event->queue_id) || dsnd_str_present(event->sender) ||
            event->feedback != REPORT_FEEDBACK_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct mta_clock clock = {utc, NULL, INT64_C(1795953600000000)};
    struct dsnd_str rest = {(const char *)data + 1, size ? size - 1 : 0};
    struct mta_log log;

    if (!size)
        return 0;
    mta_log_init(&log, (enum mta_log_format)(data[0] % MTA_LOG_FORMATS), &clock);
    while (rest.len) {
        struct dsnd_arena arena = DSND_ARENA_INIT(FUZZ_ARENA_MAX);
        struct mta_event event;
        const char *why = "";
        enum dsnd_err err = mta_log_read(&log, dsnd_str_cut(&rest, '\n'), &arena, &event, &why);

        require(err == DSND_OK || err == DSND_ERR_SYNTAX);
        if (err)
            require(why[0] != '\0');
        else
            check(&event);
        dsnd_arena_done(&arena);
    }
    return 0;
}
