#include "parse/rules.h"

#include <stdio.h>

#include "parse/provider.h"
#include "parse/rule_set.h"

/* Who can mend it, by class; a rule may say otherwise. */
static const enum report_fault faults[REPORT_CLASS_COUNT] = {
    [REPORT_CLASS_MAILBOX_UNKNOWN] = REPORT_FAULT_RECIPIENT,
    [REPORT_CLASS_MAILBOX_INACTIVE] = REPORT_FAULT_RECIPIENT,
    [REPORT_CLASS_DOMAIN_INVALID] = REPORT_FAULT_RECIPIENT,
    [REPORT_CLASS_MAILBOX_FULL] = REPORT_FAULT_RECIPIENT,
    [REPORT_CLASS_MESSAGE_TOO_LARGE] = REPORT_FAULT_MESSAGE,
    [REPORT_CLASS_THROTTLED] = REPORT_FAULT_SENDER,
    [REPORT_CLASS_NETWORK] = REPORT_FAULT_NETWORK,
    [REPORT_CLASS_REMOTE_SYSTEM] = REPORT_FAULT_NETWORK,
    [REPORT_CLASS_EXPIRED] = REPORT_FAULT_NETWORK,
    [REPORT_CLASS_REPUTATION_BLOCK] = REPORT_FAULT_SENDER,
    [REPORT_CLASS_AUTH_FAILURE] = REPORT_FAULT_SENDER,
    [REPORT_CLASS_CONTENT_BLOCK] = REPORT_FAULT_MESSAGE,
    [REPORT_CLASS_POLICY_REFUSED] = REPORT_FAULT_SENDER,
    [REPORT_CLASS_PROTOCOL] = REPORT_FAULT_SENDER,
};

/* One classification under way. */
struct run {
    const struct rule_set *set;
    struct rule_scratch *scratch;
    struct dsnd_arena *arena;
    struct report_recipient *recipient;
    struct dsnd_str further; /* text of the report besides the recipient's own */
    bool has_further;        /* it is in its buffer */
    struct rule_input input;
    struct rule_decision decision;
};

static enum report_permanence of_class(unsigned first_digit)
{
    return first_digit == 4   ? REPORT_PERMANENCE_TRANSIENT
           : first_digit == 5 ? REPORT_PERMANENCE_PERMANENT
                              : REPORT_PERMANENCE_NONE;
}

static bool is_generic(struct report_status status)
{
    return status.subject == 0 && status.detail == 0;
}

/*
 * As the remote said it: its enhanced status, else Status, else its reply code. A Status of x.0.0
 * says less than a reply code: some senders write it without looking.
 */
static enum report_permanence permanence_by_code(const struct report_recipient *recipient)
{
    enum report_permanence reply = of_class(recipient->smtp_code / 100);
    enum report_permanence status = of_class(recipient->status.klass);

    if (recipient->smtp_status.klass)
        return of_class(recipient->smtp_status.klass);
    if (status && !(reply && is_generic(recipient->status)))
        return status;
    return reply;
}

static enum report_permanence permanence_by_action(enum report_action action)
{
    return action == REPORT_ACTION_FAILED    ? REPORT_PERMANENCE_PERMANENT
           : action == REPORT_ACTION_DELAYED ? REPORT_PERMANENCE_TRANSIENT
                                             : REPORT_PERMANENCE_NONE;
}

static void decide(struct run *self, enum rule_gives gives, unsigned skip)
{
    rule_set_decide(self->set, self->scratch, &self->input, gives, skip, &self->decision);
}

static struct dsnd_str span_of(const struct run *self, struct rule_span span)
{
    return dsnd_str_make(self->input.text->plain + span.from, span.to - span.from);
}

/* What the rule matched: text, or the code where it asks for no text. */
static enum dsnd_err keep_match(struct run *self)
{
    const struct rule *rule = self->decision.rule;
    char code[REPORT_STATUS_SIZE];
    struct dsnd_str matched = span_of(self, self->decision.span[0]);
    enum dsnd_err err;

    if (rule->pattern_count == 0) {
        if (rule->reported_count)
            report_status_format(self->input.reported, code);
        else if (rule->status_count)
            report_status_format(self->input.status, code);
        else
            (void)snprintf(code, sizeof(code), "%u", (unsigned)self->input.code);
        matched = dsnd_str_of(code);
    }
    err = dsnd_arena_copy(self->arena, rule->id, &self->recipient->rule);
    return err ? err : dsnd_arena_copy(self->arena, matched, &self->recipient->matched);
}

/* The decision on the recipient's own text; where that says little, on the rest of the report. */
static void decide_class(struct run *self, unsigned skip)
{
    struct rule_text *own = rule_scratch_text(self->scratch);
    struct rule_text *further = rule_scratch_further_text(self->scratch);
    struct rule_decision first;

    self->input.text = own;
    decide(self, RULE_GIVES_CLASS, skip);
    if ((self->decision.rule && !self->decision.rule->is_weak) || self->further.len == 0)
        return;
    if (!self->has_further) {
        rule_text_set(further, self->further);
        self->has_further = true;
    }
    first = self->decision;
    self->input.text = further;
    decide(self, RULE_GIVES_CLASS, skip | RULE_SKIP_WEAK | RULE_SKIP_WITHOUT_TEXT);
    if (!self->decision.rule) {
        self->decision = first;
        self->input.text = own;
    }
}

static enum report_fault fault_of(const struct rule *rule, enum report_class klass)
{
    return rule && rule->has_fault ? rule->fault : faults[klass];
}

/*
 * A failure for a passing reason is the end of a queue life, unless nobody would have tried again.
 * A connection that cannot be made is always tried again; only its code may say otherwise.
 */
static bool is_expiry(const struct run *self, enum report_permanence by_code)
{
    const struct rule *rule = self->decision.rule;
    enum report_class klass = self->recipient->klass;

    if (self->recipient->action != REPORT_ACTION_FAILED || klass == REPORT_CLASS_EXPIRED)
        return false;
    if ((rule && rule->is_final) || klass == REPORT_CLASS_DOMAIN_INVALID)
        return false;
    return by_code == REPORT_PERMANENCE_TRANSIENT ||
           (by_code == REPORT_PERMANENCE_NONE && klass == REPORT_CLASS_NETWORK);
}

/* The class of the last reply, for a failure that a rule calls expired. */
static void find_cause(struct run *self)
{
    self->input.status = self->recipient->smtp_status;
    self->input.reported = (struct report_status){0, 0, 0};
    decide_class(self, RULE_SKIP_EXPIRED);
    if (self->decision.rule)
        self->recipient->cause = self->decision.rule->klass;
}

static enum dsnd_err classify_failure(struct run *self)
{
    struct report_recipient *recipient = self->recipient;
    enum report_permanence by_code = permanence_by_code(recipient);
    const struct rule *rule;
    enum dsnd_err err = DSND_OK;

    decide_class(self, 0);
    rule = self->decision.rule;
    recipient->klass = rule ? rule->klass : REPORT_CLASS_UNCLASSIFIED;
    recipient->permanence = by_code ? by_code : permanence_by_action(recipient->action);
    recipient->fault = fault_of(rule, recipient->klass);
    if (rule)
        err = keep_match(self);
    if (is_expiry(self, by_code)) {
        recipient->cause = rule ? rule->klass : REPORT_CLASS_NONE;
        recipient->klass = REPORT_CLASS_EXPIRED;
    } else if (recipient->klass == REPORT_CLASS_EXPIRED) {
        find_cause(self);
    }
    if (recipient->klass == REPORT_CLASS_EXPIRED)
        recipient->fault = recipient->cause ? fault_of(self->decision.rule, recipient->cause)
                                            : faults[REPORT_CLASS_EXPIRED];
    return err;
}

uint32_t rule_retry_after(const struct rule_text *text, const struct rule_decision *decision)
{
    struct rule_span number = decision->span[1];
    struct rule_span unit = decision->span[2];
    uint64_t value;
    uint64_t factor = 1;

    if (dsnd_str_to_u64(dsnd_str_make(text->lower + number.from, number.to - number.from),
                        86400 * UINT64_C(30), &value))
        return 0;
    if (unit.to > unit.from) {
        char c = text->lower[unit.from];

        factor = c == 'm' ? 60 : c == 'h' ? 3600 : c == 'd' ? 86400 : 1;
    }
    value *= factor;
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

struct dsnd_str rule_blocklist(const struct rule_text *text, const struct rule_decision *decision)
{
    struct rule_span span = decision->span[1];

    if (dsnd_str_present(decision->rule->name))
        return decision->rule->name;
    return dsnd_str_make(text->lower + span.from, span.to - span.from);
}

/* Facts besides the class, from the recipient's own text. */
static enum dsnd_err extract(struct run *self)
{
    struct rule_text *text = rule_scratch_text(self->scratch);

    if (text->len == 0)
        return DSND_OK;
    self->input.text = text;
    decide(self, RULE_GIVES_RETRY_AFTER, 0);
    if (self->decision.rule)
        self->recipient->retry_after_s = rule_retry_after(text, &self->decision);
    decide(self, RULE_GIVES_BLOCKLIST, 0);
    if (!self->decision.rule)
        return DSND_OK;
    return dsnd_arena_copy(self->arena, rule_blocklist(text, &self->decision),
                           &self->recipient->blocklist);
}

static size_t find_provider(const struct provider_set *set,
                            const struct report_recipient *recipient)
{
    size_t provider = provider_index_of(set, recipient->remote_mta);
    struct dsnd_str address = recipient->final_recipient;
    size_t at;

    if (provider < provider_count(set))
        return provider;
    if (dsnd_str_rchr(address, '@') == SIZE_MAX)
        address = recipient->recipient;
    at = dsnd_str_rchr(address, '@');
    if (at == SIZE_MAX)
        return provider_count(set);
    return provider_index_of(set, dsnd_str_slice(address, at + 1, address.len));
}

/* Kinds and actions that decide without text; CLASS_COUNT: they do not. */
static enum report_class class_of_kind(enum report_kind kind, enum report_action action)
{
    if (kind == REPORT_KIND_ARF)
        return REPORT_CLASS_COMPLAINT;
    if (kind == REPORT_KIND_AUTO_REPLY)
        return REPORT_CLASS_AUTO_REPLY;
    if (kind == REPORT_KIND_MDN && action != REPORT_ACTION_FAILED)
        return REPORT_CLASS_AUTO_REPLY;
    if (action == REPORT_ACTION_DELIVERED || action == REPORT_ACTION_RELAYED ||
        action == REPORT_ACTION_EXPANDED)
        return REPORT_CLASS_NONE;
    return REPORT_CLASS_COUNT;
}

enum dsnd_err rules_classify(const struct rule_set *set, struct rule_scratch *scratch,
                             enum report_kind kind, struct dsnd_str subject_text,
                             struct dsnd_arena *arena, struct report_recipient *recipient)
{
    struct run run = {.set = set,
                      .scratch = scratch,
                      .arena = arena,
                      .recipient = recipient,
                      .further = subject_text};
    size_t provider = find_provider(set->providers, recipient);
    enum dsnd_err err;

    err = dsnd_arena_copy(arena, provider_name(set->providers, provider), &recipient->provider);
    if (err)
        return err;
    recipient->klass = class_of_kind(kind, recipient->action);
    recipient->permanence = REPORT_PERMANENCE_NONE;
    recipient->fault = REPORT_FAULT_NONE;
    if (recipient->klass != REPORT_CLASS_COUNT)
        return DSND_OK;
    recipient->klass = REPORT_CLASS_UNCLASSIFIED;
    recipient->rule = DSND_STR_ABSENT;
    run.input = (struct rule_input){
        .text = rule_scratch_text(scratch),
        .provider = provider,
        .code = recipient->smtp_code,
        .status = rule_effective_status(recipient->smtp_status, recipient->status),
        .reported = recipient->status,
    };
    rule_text_set(rule_scratch_text(scratch), recipient->diagnostic);
    err = classify_failure(&run);
    return err ? err : extract(&run);
}
