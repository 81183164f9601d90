#include "store/delivery.h"

/* The columns kind and rank of the table class; a test compares them. */
static const struct {
    signed char kind; /* -1: by permanence */
    signed char rank;
} classes[REPORT_CLASS_COUNT] = {
    [REPORT_CLASS_NONE] = {-1, 99},
    [REPORT_CLASS_MAILBOX_UNKNOWN] = {STORE_KIND_HARD, 1},
    [REPORT_CLASS_MAILBOX_INACTIVE] = {STORE_KIND_HARD, 2},
    [REPORT_CLASS_DOMAIN_INVALID] = {STORE_KIND_HARD, 3},
    [REPORT_CLASS_MAILBOX_FULL] = {STORE_KIND_SOFT, 4},
    [REPORT_CLASS_MESSAGE_TOO_LARGE] = {STORE_KIND_SOFT, 5},
    [REPORT_CLASS_THROTTLED] = {STORE_KIND_SOFT, 6},
    [REPORT_CLASS_NETWORK] = {STORE_KIND_SOFT, 7},
    [REPORT_CLASS_REMOTE_SYSTEM] = {STORE_KIND_SOFT, 8},
    [REPORT_CLASS_EXPIRED] = {STORE_KIND_SOFT, 9},
    [REPORT_CLASS_REPUTATION_BLOCK] = {STORE_KIND_BLOCK, 10},
    [REPORT_CLASS_AUTH_FAILURE] = {STORE_KIND_BLOCK, 11},
    [REPORT_CLASS_CONTENT_BLOCK] = {STORE_KIND_BLOCK, 12},
    [REPORT_CLASS_POLICY_REFUSED] = {STORE_KIND_BLOCK, 13},
    [REPORT_CLASS_PROTOCOL] = {STORE_KIND_SOFT, 14},
    [REPORT_CLASS_COMPLAINT] = {-1, 15},
    [REPORT_CLASS_AUTO_REPLY] = {-1, 16},
    [REPORT_CLASS_UNCLASSIFIED] = {-1, 17},
};

enum store_kind delivery_kind(enum report_class klass, enum report_permanence permanence)
{
    if (classes[klass].kind >= 0)
        return (enum store_kind)classes[klass].kind;
    return permanence == REPORT_PERMANENCE_PERMANENT ? STORE_KIND_HARD : STORE_KIND_SOFT;
}

int delivery_class_rank(enum report_class klass)
{
    return classes[klass].rank;
}

static enum store_state state_of(const struct report *report, enum report_action action)
{
    static const enum store_state states[] = {
        [REPORT_ACTION_NONE] = STORE_STATE_SENT,
        [REPORT_ACTION_FAILED] = STORE_STATE_FAILED,
        [REPORT_ACTION_DELAYED] = STORE_STATE_DELAYED,
        [REPORT_ACTION_DELIVERED] = STORE_STATE_DELIVERED,
        [REPORT_ACTION_RELAYED] = STORE_STATE_HANDED_OFF,
        [REPORT_ACTION_EXPANDED] = STORE_STATE_HANDED_OFF,
    };

    switch (report->kind) {
    case REPORT_KIND_DSN:
    case REPORT_KIND_BOUNCE_TEXT:
    case REPORT_KIND_MTA_LOG:
        return states[action];
    case REPORT_KIND_MDN: /* displayed or deleted says nothing of delivery; a refusal does */
        return action == REPORT_ACTION_FAILED ? STORE_STATE_FAILED : STORE_STATE_SENT;
    case REPORT_KIND_ARF:
    case REPORT_KIND_AUTO_REPLY:
    case REPORT_KIND_OTHER:
        break;
    }
    return STORE_STATE_SENT;
}

/* RFC 5965 section 7.3: not-spam is no complaint; auth-failure and virus are no wish of a person.
 */
static bool is_complaint(const struct report *report, enum report_class klass)
{
    switch (report->feedback) {
    case REPORT_FEEDBACK_ABUSE:
    case REPORT_FEEDBACK_FRAUD:
    case REPORT_FEEDBACK_OPT_OUT:
        return report->kind == REPORT_KIND_ARF;
    case REPORT_FEEDBACK_NOT_SPAM:
    case REPORT_FEEDBACK_AUTH_FAILURE:
    case REPORT_FEEDBACK_VIRUS:
        return false;
    case REPORT_FEEDBACK_NONE:
    case REPORT_FEEDBACK_OTHER:
        break;
    }
    return klass == REPORT_CLASS_COMPLAINT;
}

bool delivery_event_of(const struct report *report, const struct report_recipient *recipient,
                       struct delivery_event *ret_event)
{
    struct delivery_event event = {
        .state = state_of(report, recipient->action),
        .complaint = is_complaint(report, recipient->klass),
        .klass = recipient->klass,
        .provider = dsnd_str_present(recipient->provider) ? recipient->provider : DSND_STR(""),
    };

    if (event.state == STORE_STATE_FAILED)
        event.kind = delivery_kind(recipient->klass, recipient->permanence);
    if (event.state == STORE_STATE_SENT && !event.complaint)
        return false;
    *ret_event = event;
    return true;
}

enum report_class delivery_suppressing_class(const struct report_recipient *recipient)
{
    bool is_expiry = recipient->klass == REPORT_CLASS_EXPIRED;
    enum report_class klass = is_expiry && recipient->cause ? recipient->cause : recipient->klass;

    if (!is_expiry && recipient->permanence != REPORT_PERMANENCE_PERMANENT)
        return REPORT_CLASS_NONE;
    if (recipient->fault == REPORT_FAULT_SENDER)
        return REPORT_CLASS_NONE;
    /* A site that refuses the sender does so whoever lives there. */
    if (klass == REPORT_CLASS_POLICY_REFUSED && recipient->fault != REPORT_FAULT_RECIPIENT)
        return REPORT_CLASS_NONE;
    return klass;
}

static int compare(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

/* Below 0 where the event decides rather than what is there: a total order, so that the outcome is
 * the least of a set. */
static int compare_outcome(const struct delivery_event *event, const struct delivery *self)
{
    int d = compare(self->state, event->state);

    if (!d)
        d = compare(delivery_class_rank(event->klass), delivery_class_rank(self->klass));
    if (!d)
        d = compare(event->us, self->outcome_us);
    if (!d)
        d = compare(event->kind, self->kind);
    return d ? d : dsnd_str_cmp(event->provider, self->provider);
}

static int compare_delay(const struct delivery_event *event, const struct delivery *self)
{
    int d = compare(event->us, self->delayed_us);

    if (!d)
        d = compare(delivery_class_rank(event->klass), delivery_class_rank(self->delayed_class));
    return d ? d : dsnd_str_cmp(event->provider, self->delayed_provider);
}

static void apply_outcome(struct delivery *self, const struct delivery_event *event)
{
    if (compare_outcome(event, self) >= 0)
        return;
    if (event->state > STORE_STATE_DELAYED)
        self->delay_expired_us = 0; /* the delay has a better end now */
    self->state = event->state;
    self->klass = event->klass;
    self->kind = event->kind;
    self->provider = event->provider;
    self->outcome_us = event->us;
    self->status_id = event->status_id;
    self->changed = true;
}

static void apply_delay(struct delivery *self, const struct delivery_event *event)
{
    if (self->delayed_us && compare_delay(event, self) >= 0)
        return;
    self->delayed_us = event->us;
    self->delayed_class = event->klass;
    self->delayed_provider = event->provider;
    self->changed = true;
}

static void apply_complaint(struct delivery *self, const struct delivery_event *event)
{
    int d = self->complained_us ? compare(event->us, self->complained_us) : -1;

    if (d > 0 || (d == 0 && dsnd_str_cmp(event->provider, self->complained_provider) >= 0))
        return;
    self->complained_us = event->us;
    self->complained_provider = event->provider;
    if (self->state == STORE_STATE_SENT) { /* the row needs a time and a record */
        self->outcome_us = event->us;
        self->status_id = event->status_id;
    }
    self->changed = true;
}

static void apply_minting(struct delivery *self, const struct delivery_event *event)
{
    if (!event->minted_us || self->sent_registered ||
        (self->sent_us && self->sent_us <= event->minted_us))
        return;
    self->sent_us = event->minted_us;
    self->changed = true;
}

void delivery_apply(struct delivery *self, const struct delivery_event *event)
{
    if (!dsnd_str_present(self->provider))
        self->provider = DSND_STR("");
    if (event->state != STORE_STATE_SENT)
        apply_outcome(self, event);
    if (event->state == STORE_STATE_DELAYED)
        apply_delay(self, event);
    if (event->complaint)
        apply_complaint(self, event);
    apply_minting(self, event);
}

static enum dsnd_err count_outcome(const struct delivery *self, int sign, struct totals *totals)
{
    static const enum total parts[] = {
        [STORE_KIND_HARD] = TOTAL_HARD,
        [STORE_KIND_SOFT] = TOTAL_SOFT,
        [STORE_KIND_BLOCK] = TOTAL_BLOCK,
    };
    struct total_key key = {self->campaign_id, self->outcome_us, self->provider, self->klass};
    enum dsnd_err err;

    switch (self->state) {
    case STORE_STATE_FAILED:
        err = totals_add(totals, &key, TOTAL_FAILED, sign);
        return err ? err : totals_add(totals, &key, parts[self->kind], sign);
    case STORE_STATE_DELIVERED:
        return totals_add(totals, &key, TOTAL_DELIVERED, sign);
    case STORE_STATE_HANDED_OFF:
        return totals_add(totals, &key, TOTAL_HANDED_OFF, sign);
    case STORE_STATE_DELAYED:
        return self->delay_expired_us ? DSND_OK : totals_add(totals, &key, TOTAL_DELAY_OPEN, sign);
    case STORE_STATE_SENT:
        break;
    }
    return DSND_OK;
}

enum dsnd_err delivery_count(const struct delivery *self, int sign, struct totals *totals)
{
    struct total_key delayed = {self->campaign_id, self->delayed_us, self->delayed_provider,
                                self->delayed_class};
    struct total_key complained = {self->campaign_id, self->complained_us,
                                   self->complained_provider, REPORT_CLASS_COMPLAINT};
    enum dsnd_err err = count_outcome(self, sign, totals);

    if (!err && self->delayed_us)
        err = totals_add(totals, &delayed, TOTAL_DELAYED, sign);
    if (!err && self->complained_us)
        err = totals_add(totals, &complained, TOTAL_COMPLAINED, sign);
    return err;
}
