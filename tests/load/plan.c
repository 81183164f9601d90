#include "tests/load/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/load/shape.h"
#include "tests/load/tally.h"

/* A thousand deliveries bring four reports that nobody we know has signed. */
enum { UNSIGNED_PER_1000 = 4, MESSAGE_MAX = 1 << 16 };

static const struct fate fates[] = {
    {.weight = 7200},
    {.weight = 600, .ending = ENDING_DELIVERED},
    {.weight = 100, .ending = ENDING_RELAYED},
    {.weight = 150, .delayed = true},
    {.weight = 200, .delayed = true, .ending = ENDING_DELIVERED},
    {.weight = 150, .delayed = true, .ending = ENDING_FAILED},
    {.weight = 1200, .ending = ENDING_FAILED},
    {.weight = 60, .ending = ENDING_FAILED, .twice = true},
    {.weight = 40, .ending = ENDING_FAILED, .forwarded = true},
    {.weight = 80, .complaint = true},
    {.weight = 20, .ending = ENDING_DELIVERED, .complaint = true},
    {.weight = 200, .auto_reply = true},
};

/* The delivery whose reports are being made, or a forged report. */
struct delivery_now {
    const struct fate *fate;
    const struct outcome *outcome;
    unsigned step; /* which of its reports comes next */
    uint64_t pick; /* of the shape */
    char recipient[128];
    char address[RETURN_PATH_SIZE];
    bool sent_twice;
};

struct plan {
    const struct plan_options *options;
    uint64_t random;
    uint64_t index; /* of the next delivery; forged reports follow the last one */
    uint64_t next_id;
    struct delivery_now now;
    struct dsnd_buf message;
    struct tally tally;
};

/* splitmix64: the same everywhere, and good enough to spread things. */
static uint64_t draw(struct plan *self)
{
    uint64_t z = self->random += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static const struct fate *draw_fate(struct plan *self)
{
    const struct fate *fate = fates;
    uint64_t left = draw(self) % 10000;

    while (left >= fate->weight)
        left -= (fate++)->weight;
    return fate;
}

static const struct outcome *draw_outcome(struct plan *self, const struct fate *fate)
{
    uint64_t random = draw(self);

    if (fate->complaint)
        return outcome_pick(outcome_complained, outcome_complained_count, random);
    if (fate->delayed && fate->ending != ENDING_FAILED)
        return outcome_pick(outcome_delayed, outcome_delayed_count, random);
    return outcome_pick(outcome_failed, outcome_failed_count, random);
}

static void name_recipient(struct plan *self)
{
    static const char *const names[] = {"anna",   "boris", "chen",  "dilek", "emeka", "fatima",
                                        "georg",  "hiro",  "ines",  "jose",  "kaur",  "lena",
                                        "miguel", "nora",  "oluwa", "priya"};

    (void)snprintf(self->now.recipient, sizeof(self->now.recipient), "%s.%" PRIu64 "@%s",
                   names[draw(self) % (sizeof(names) / sizeof(*names))], 1000 + self->index,
                   self->now.outcome->domain);
}

static enum dsnd_err mint(struct plan *self)
{
    struct return_path_request request = {
        .campaign = dsnd_str_of(self->options->campaign),
        .recipient = dsnd_str_of(self->now.recipient),
        .ref = DSND_STR_ABSENT,
        .domain = dsnd_str_of(self->options->domain),
    };

    return return_path_mint(self->options->keys, &request, dsnd_clock_now_us(), self->now.address);
}

/* A report of somebody who guesses, or answers mail that we never signed. */
static enum dsnd_err begin_unsigned(struct plan *self)
{
    enum dsnd_err err = mint(self);
    char *at = strchr(self->now.address, '@');

    self->tally.messages++;
    self->tally.unattributed++;
    if (err || !at)
        return err;
    if (self->index % 2)
        at[-1] = at[-1] == 'a' ? 'b' : 'a'; /* a signature, but not ours */
    else
        (void)snprintf(self->now.address, sizeof(self->now.address), "bounces@%s",
                       self->options->domain);
    return DSND_OK;
}

static enum dsnd_err begin_delivery(struct plan *self)
{
    static const struct fate forged = {.ending = ENDING_FAILED};
    bool is_forged = self->index >= self->options->sent;
    enum dsnd_err err;

    self->now = (struct delivery_now){.fate = is_forged ? &forged : draw_fate(self)};
    self->now.outcome = draw_outcome(self, self->now.fate);
    self->now.pick = draw(self);
    name_recipient(self);
    if (is_forged) {
        err = begin_unsigned(self);
    } else {
        tally_add(&self->tally, self->now.fate, self->now.outcome);
        err = mint(self);
    }
    self->index++;
    return err;
}

/* The shape of the next report of the delivery; SHAPE_COUNT after the last one. */
static enum shape next_shape(struct delivery_now *now)
{
    static const enum shape ends[] = {
        [ENDING_NONE] = SHAPE_COUNT,
        [ENDING_FAILED] = SHAPE_COUNT, /* one of several */
        [ENDING_DELIVERED] = SHAPE_POSTFIX_DELIVERED,
        [ENDING_RELAYED] = SHAPE_POSTFIX_RELAYED,
    };
    const struct fate *fate = now->fate;
    const enum shape steps[] = {
        fate->delayed ? shape_delayed(now->pick) : SHAPE_COUNT,
        fate->ending == ENDING_FAILED ? shape_failed(now->pick >> 8) : ends[fate->ending],
        fate->complaint ? SHAPE_COMPLAINT : SHAPE_COUNT,
        fate->auto_reply ? SHAPE_AUTO_REPLY : SHAPE_COUNT,
    };

    while (now->step < sizeof(steps) / sizeof(*steps)) {
        enum shape shape = steps[now->step++];

        if (shape != SHAPE_COUNT)
            return shape;
    }
    return SHAPE_COUNT;
}

static enum dsnd_err write_message(struct plan *self, enum shape shape)
{
    const struct delivery_now *now = &self->now;
    bool is_delay = now->fate->delayed && now->step == 1;
    const struct outcome *said = is_delay ? outcome_delay_of(now->outcome) : now->outcome;
    struct shape_values values = {
        .recipient = now->fate->forwarded ? DSND_STR("forwarded@company.example")
                                          : dsnd_str_of(now->recipient),
        .sent_to = dsnd_str_of(now->recipient),
        .return_path = dsnd_str_of(now->address),
        .mx = dsnd_str_of(now->outcome->mx),
        .provider_domain = dsnd_str_of(now->outcome->domain),
        .status = dsnd_str_of(said->status),
        .text = dsnd_str_of(said->text),
        .id = ++self->next_id,
        .now_us = dsnd_clock_now_us(),
    };

    dsnd_buf_clear(&self->message);
    return shape_write(shape, &values, &self->message);
}

enum dsnd_err plan_next(void *context, struct sender_message *ret_message, bool *ret_any)
{
    struct plan *self = context;
    uint64_t not_signed = self->options->signed_only ? 0 : UNSIGNED_PER_1000;
    uint64_t all = self->options->sent + self->options->sent * not_signed / 1000;
    enum shape shape = SHAPE_COUNT;
    enum dsnd_err err = DSND_OK;

    *ret_any = true;
    if (self->now.fate && self->now.fate->twice && !self->now.sent_twice) {
        self->now.sent_twice = true; /* the message is still there */
    } else {
        if (self->now.fate)
            shape = next_shape(&self->now);
        while (shape == SHAPE_COUNT && self->index < all && !err) {
            err = begin_delivery(self);
            shape = next_shape(&self->now);
        }
        *ret_any = shape != SHAPE_COUNT;
        if (!err && *ret_any)
            err = write_message(self, shape);
    }
    *ret_message = (struct sender_message){
        .to = dsnd_str_of(self->now.address),
        .octets = dsnd_buf_str(&self->message),
    };
    return err;
}

enum dsnd_err plan_new(const struct plan_options *options, struct plan **ret_plan)
{
    struct plan *self = calloc(1, sizeof(*self));

    if (!self)
        return DSND_ERR_NOMEM;
    self->options = options;
    self->random = options->seed;
    self->message = DSND_BUF_INIT(MESSAGE_MAX);
    *ret_plan = self;
    return DSND_OK;
}

void plan_free(struct plan *self)
{
    if (!self)
        return;
    dsnd_buf_done(&self->message);
    free(self);
}

enum dsnd_err plan_expected(const struct plan *self, struct dsnd_buf *out)
{
    return tally_write(&self->tally, self->options->campaign, out);
}
