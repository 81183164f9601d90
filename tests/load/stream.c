#include "tests/load/stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "tests/load/outcome.h"
#include "tests/load/shape.h"

enum { MESSAGE_MAX = 1 << 16 };

void stream_init(struct stream *self, const struct return_path_keys *keys, const char *domain,
                 uint64_t first_id, uint64_t count)
{
    *self = (struct stream){
        .keys = keys,
        .domain = domain,
        .first_id = first_id,
        .count = count,
        .message = DSND_BUF_INIT(MESSAGE_MAX),
    };
}

void stream_done(struct stream *self)
{
    dsnd_buf_done(&self->message);
}

/* Of ten reports seven are failures, two delays and one tells of a delivery. */
static enum shape choose(uint64_t id, const struct outcome **ret_outcome)
{
    uint64_t random = (id * UINT64_C(0x9E3779B97F4A7C15)) >> 20;
    uint64_t kind = id % 10;

    if (kind == 0) {
        *ret_outcome = outcome_pick(outcome_failed, outcome_failed_count, random);
        return SHAPE_POSTFIX_DELIVERED;
    }
    if (kind <= 2) {
        *ret_outcome = outcome_pick(outcome_delayed, outcome_delayed_count, random);
        return shape_delayed(id / 10);
    }
    *ret_outcome = outcome_pick(outcome_failed, outcome_failed_count, random);
    return shape_failed(id / 10);
}

static enum dsnd_err write_next(struct stream *self)
{
    uint64_t id = self->first_id + self->made;
    const struct outcome *outcome;
    enum shape shape = choose(id, &outcome);
    char campaign[RETURN_PATH_CAMPAIGN_MAX + 1];
    char recipient[128];
    struct shape_values values = {
        .mx = dsnd_str_of(outcome->mx),
        .provider_domain = dsnd_str_of(outcome->domain),
        .status = dsnd_str_of(outcome->status),
        .text = dsnd_str_of(outcome->text),
        .id = id,
        .now_us = dsnd_clock_now_us(),
    };
    struct return_path_request request = {.domain = dsnd_str_of(self->domain)};
    enum dsnd_err err;

    (void)snprintf(campaign, sizeof(campaign), "bench-%02u", (unsigned)(id % STREAM_CAMPAIGNS));
    (void)snprintf(recipient, sizeof(recipient), "reader.%" PRIu64 "@%s", id, outcome->domain);
    request.campaign = dsnd_str_of(campaign);
    request.recipient = dsnd_str_of(recipient);
    err = return_path_mint(self->keys, &request, values.now_us, self->address);
    if (err)
        return err;
    values.recipient = request.recipient;
    values.sent_to = request.recipient;
    values.return_path = dsnd_str_of(self->address);
    dsnd_buf_clear(&self->message);
    return shape_write(shape, &values, &self->message);
}

/* Not before its time; so short a pause does not keep the replies waiting. */
static void keep_pace(struct stream *self)
{
    static const struct timespec pause = {.tv_nsec = 200000};

    if (!self->begun_ms)
        self->begun_ms = dsnd_clock_monotonic_ms();
    while (self->rate &&
           (uint64_t)(dsnd_clock_monotonic_ms() - self->begun_ms) * self->rate < self->made * 1000)
        (void)nanosleep(&pause, NULL);
}

enum dsnd_err stream_next(void *context, struct sender_message *ret_message, bool *ret_any)
{
    struct stream *self = context;
    enum dsnd_err err;

    *ret_any = self->made < self->count;
    if (!*ret_any)
        return DSND_OK;
    keep_pace(self);
    err = write_next(self);
    self->made++;
    *ret_message = (struct sender_message){
        .to = dsnd_str_of(self->address),
        .octets = dsnd_buf_str(&self->message),
    };
    return err;
}
