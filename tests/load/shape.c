#include "tests/load/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "tests/load/shape_text.h"

/* A name holds a view of what stands for it. */
struct binding {
    struct dsnd_str name;
    struct dsnd_str value;
};

enum { BINDINGS = 13, TEXT_MAX = 1024 };

static const char *const texts[SHAPE_COUNT] = {
    [SHAPE_POSTFIX_FAILED] = shape_text_postfix_failed,
    [SHAPE_POSTFIX_DELAYED] = shape_text_postfix_delayed,
    [SHAPE_POSTFIX_DELIVERED] = shape_text_postfix_delivered,
    [SHAPE_POSTFIX_RELAYED] = shape_text_postfix_relayed,
    [SHAPE_EXIM_FAILED] = shape_text_exim_failed,
    [SHAPE_EXIM_DELAYED] = shape_text_exim_delayed,
    [SHAPE_SENDMAIL_FAILED] = shape_text_sendmail_failed,
    [SHAPE_SENDMAIL_DELAYED] = shape_text_sendmail_delayed,
    [SHAPE_EXCHANGE_FAILED] = shape_text_exchange_failed,
    [SHAPE_POWERMTA_FAILED] = shape_text_powermta_failed,
    [SHAPE_COMPLAINT] = shape_text_complaint,
    [SHAPE_AUTO_REPLY] = shape_text_auto_reply,
};

static struct dsnd_str value_of(const struct binding *bindings, struct dsnd_str name)
{
    for (size_t i = 0; i < BINDINGS; i++)
        if (dsnd_str_eq(bindings[i].name, name))
            return bindings[i].value;
    return DSND_STR("");
}

/* `text` with its {names} filled in. */
static enum dsnd_err fill(struct dsnd_str text, const struct binding *bindings,
                          struct dsnd_buf *out)
{
    enum dsnd_err err = DSND_OK;

    while (!err && dsnd_str_present(text)) {
        err = dsnd_buf_add(out, dsnd_str_cut(&text, '{'));
        if (!err && dsnd_str_present(text))
            err = dsnd_buf_add(out, value_of(bindings, dsnd_str_cut(&text, '}')));
    }
    return err;
}

static enum dsnd_err fill_lines(struct dsnd_str text, const struct binding *bindings,
                                struct dsnd_buf *out)
{
    enum dsnd_err err = DSND_OK;

    while (!err && text.len) {
        err = fill(dsnd_str_cut(&text, '\n'), bindings, out);
        if (!err)
            err = dsnd_buf_add(out, DSND_STR("\r\n"));
    }
    return err;
}

/* RFC 5322 section 3.3, UTC. */
static struct dsnd_str format_date(int64_t us, char *dst, size_t size)
{
    time_t seconds = (time_t)(us / DSND_US_PER_S);
    struct tm tm;

    if (!gmtime_r(&seconds, &tm))
        return DSND_STR("Thu, 01 Jan 1970 00:00:00 +0000");
    return dsnd_str_make(dst, strftime(dst, size, "%a, %d %b %Y %H:%M:%S +0000", &tm));
}

static struct dsnd_str formatted(char *dst, size_t size, int octets)
{
    return dsnd_str_make(dst, octets > 0 && (size_t)octets < size ? (size_t)octets : 0);
}

enum dsnd_err shape_write(enum shape shape, const struct shape_values *values, struct dsnd_buf *out)
{
    char date[40];
    char later[40];
    char id[24];
    char queue[24];
    char stamp[24];
    struct dsnd_buf text = DSND_BUF_INIT(TEXT_MAX);
    bool is_reply = values->text.len && dsnd_is_digit(values->text.ptr[0]);
    struct binding bindings[BINDINGS] = {
        {DSND_STR_INIT("recipient"), values->recipient},
        {DSND_STR_INIT("to"), values->sent_to},
        {DSND_STR_INIT("return_path"), values->return_path},
        {DSND_STR_INIT("mx"), values->mx},
        {DSND_STR_INIT("domain"), values->provider_domain},
        {DSND_STR_INIT("status"), values->status},
        {DSND_STR_INIT("type"), is_reply ? DSND_STR("smtp") : DSND_STR("x-unix")},
        {DSND_STR_INIT("date"), format_date(values->now_us, date, sizeof(date))},
        {DSND_STR_INIT("later"),
         format_date(values->now_us + 5 * DSND_US_PER_DAY, later, sizeof(later))},
        {DSND_STR_INIT("id"),
         formatted(id, sizeof(id), snprintf(id, sizeof(id), "%" PRIu64, values->id))},
        {DSND_STR_INIT("queue"), formatted(queue, sizeof(queue),
                                           snprintf(queue, sizeof(queue), "%016" PRIX64,
                                                    values->id * UINT64_C(0x9E3779B97F4A7C15)))},
        {DSND_STR_INIT("stamp"),
         formatted(stamp, sizeof(stamp),
                   snprintf(stamp, sizeof(stamp), "%" PRId64, values->now_us / DSND_US_PER_S))},
    };
    enum dsnd_err err = fill(values->text, bindings, &text);

    if (err)
        goto out;
    bindings[BINDINGS - 1] = (struct binding){DSND_STR("text"), dsnd_buf_str(&text)};
    err = fill_lines(dsnd_str_of(texts[shape]), bindings, out);
out:
    dsnd_buf_done(&text);
    return err;
}

enum shape shape_failed(uint64_t pick)
{
    static const enum shape shapes[] = {SHAPE_POSTFIX_FAILED, SHAPE_EXIM_FAILED,
                                        SHAPE_SENDMAIL_FAILED, SHAPE_EXCHANGE_FAILED,
                                        SHAPE_POWERMTA_FAILED};

    return shapes[pick % (sizeof(shapes) / sizeof(*shapes))];
}

enum shape shape_delayed(uint64_t pick)
{
    static const enum shape shapes[] = {SHAPE_POSTFIX_DELAYED, SHAPE_EXIM_DELAYED,
                                        SHAPE_SENDMAIL_DELAYED};

    return shapes[pick % (sizeof(shapes) / sizeof(*shapes))];
}
