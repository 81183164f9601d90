#include "tests/load/tally.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static struct tally_counts *counts_of_provider(struct tally *self, const char *name)
{
    size_t i = 0;

    while (i < self->provider_count && strcmp(self->providers[i].name, name) != 0)
        i++;
    assert(i < TALLY_PROVIDERS_MAX);
    if (i == self->provider_count)
        self->providers[self->provider_count++].name = name;
    return &self->providers[i].counts;
}

static void count(struct tally_counts *counts, const struct fate *fate)
{
    counts->failed += fate->ending == ENDING_FAILED;
    counts->delivered += fate->ending == ENDING_DELIVERED;
    counts->handed_off += fate->ending == ENDING_RELAYED;
    counts->delayed += fate->delayed;
    counts->delay_open += fate->delayed && fate->ending == ENDING_NONE;
    counts->complained += fate->complaint;
}

static void count_failure(struct tally *self, enum report_class klass)
{
    self->classes[klass]++;
    switch (klass) {
    case REPORT_CLASS_MAILBOX_UNKNOWN:
    case REPORT_CLASS_MAILBOX_INACTIVE:
    case REPORT_CLASS_DOMAIN_INVALID:
        self->hard++;
        break;
    case REPORT_CLASS_REPUTATION_BLOCK:
    case REPORT_CLASS_AUTH_FAILURE:
    case REPORT_CLASS_CONTENT_BLOCK:
    case REPORT_CLASS_POLICY_REFUSED:
        self->block++;
        break;
    default:
        self->soft++;
        break;
    }
}

void tally_add(struct tally *self, const struct fate *fate, const struct outcome *outcome)
{
    bool failed = fate->ending == ENDING_FAILED;

    self->sent++;
    self->messages += fate->delayed + (fate->ending != ENDING_NONE) + fate->complaint +
                      fate->auto_reply + fate->twice;
    self->duplicates += fate->twice;
    count(&self->all, fate);
    count(counts_of_provider(self, outcome->provider), fate);
    if (failed)
        count_failure(self, outcome->klass);
    self->suppressed +=
        fate->complaint || (failed && outcome->klass == REPORT_CLASS_MAILBOX_UNKNOWN);
}

static enum dsnd_err write_counts(const struct tally_counts *c, struct dsnd_buf *out)
{
    return dsnd_buf_addf(
        out,
        "\"failed\":%" PRIu64 ",\"delivered_confirmed\":%" PRIu64 ",\"handed_off\":%" PRIu64
        ",\"delay_open\":%" PRIu64 ",\"delayed\":%" PRIu64 ",\"complained\":%" PRIu64,
        c->failed, c->delivered, c->handed_off, c->delay_open, c->delayed, c->complained);
}

static enum dsnd_err write_classes(const struct tally *self, struct dsnd_buf *out)
{
    enum dsnd_err err = DSND_OK;
    const char *comma = "";

    for (int i = 0; i < REPORT_CLASS_COUNT && !err; i++) {
        if (!self->classes[i])
            continue;
        err = dsnd_buf_addf(out, "%s\"%s\":%" PRIu64, comma,
                            report_class_name((enum report_class)i), self->classes[i]);
        comma = ",";
    }
    return err;
}

/* The API shows providers of which there is something to say. */
static bool is_shown(const struct tally_counts *c)
{
    return c->failed + c->delivered + c->handed_off + c->delay_open + c->delayed + c->complained;
}

static enum dsnd_err write_providers(const struct tally *self, struct dsnd_buf *out)
{
    enum dsnd_err err = DSND_OK;
    const char *comma = "";

    for (size_t i = 0; i < self->provider_count && !err; i++) {
        const char *name = self->providers[i].name;

        if (!is_shown(&self->providers[i].counts))
            continue;
        err = dsnd_buf_addf(out, "%s\"%s\":{", comma, name[0] ? name : "unknown");
        if (!err)
            err = write_counts(&self->providers[i].counts, out);
        if (!err)
            err = dsnd_buf_add_char(out, '}');
        comma = ",";
    }
    return err;
}

enum dsnd_err tally_write(const struct tally *self, const char *campaign, struct dsnd_buf *out)
{
    const struct tally_counts *c = &self->all;
    enum dsnd_err err = dsnd_buf_addf(out, "{\"campaign\":\"%s\",\"sent\":%" PRIu64 ",\"counts\":{",
                                      campaign, self->sent);

    if (!err)
        err = write_counts(c, out);
    if (!err)
        err = dsnd_buf_addf(out, ",\"delivered_presumed\":%" PRIu64 "},\"classes\":{",
                            self->sent - c->failed - c->delivered - c->handed_off - c->delay_open);
    if (!err)
        err = write_classes(self, out);
    if (!err)
        err = dsnd_buf_add(out, DSND_STR("},\"providers\":{"));
    if (!err)
        err = write_providers(self, out);
    if (!err)
        err = dsnd_buf_addf(out,
                            "},\"hard\":%" PRIu64 ",\"soft\":%" PRIu64 ",\"block\":%" PRIu64
                            ",\"suppressed\":%" PRIu64 ",\"messages\":%" PRIu64
                            ",\"duplicates\":%" PRIu64 ",\"unattributed\":%" PRIu64 "}\n",
                            self->hard, self->soft, self->block, self->suppressed, self->messages,
                            self->duplicates, self->unattributed);
    return err;
}
