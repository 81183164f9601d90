#include "ingest/smtp_param.h"

#include "ingest/journal.h"
#include "ingest/smtp_path.h"

/* RFC 3461 sections 4.2 and 4.4. */
enum {
    ENVID_MAX = 100,
    ORCPT_MAX = 500,
    SIZE_DIGITS_MAX = 20, /* RFC 1870 section 4 */
};

struct param_rule {
    struct dsnd_str keyword;
    bool has_value;
    enum dsnd_err (*take)(struct dsnd_str value, void *params);
};

static bool is_upper_hex(char c)
{
    return dsnd_is_digit(c) || (c >= 'A' && c <= 'F');
}

/* Two upper-case hex digits that stand for an octet no report may hold (RFC 3461 section 4.2). */
static bool is_control(const char *hex)
{
    return hex[0] < '2' || (hex[0] == '7' && hex[1] == 'F');
}

/* RFC 3461 section 4: "+" and two upper-case hex digits, else printable ASCII without "=". */
static bool is_xtext(struct dsnd_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '!' || s.ptr[i] > '~' || s.ptr[i] == '=')
            return false;
        if (s.ptr[i] != '+')
            continue;
        if (s.len - i < 3 || !is_upper_hex(s.ptr[i + 1]) || !is_upper_hex(s.ptr[i + 2]) ||
            is_control(s.ptr + i + 1))
            return false;
        i += 2;
    }
    return true;
}

/* Octets of "\x{HEX}" at the front, or 0 where it stands for no character, or for a control. */
static size_t escaped_point(struct dsnd_str s)
{
    unsigned point = 0;
    size_t i = 3;

    if (!dsnd_str_starts(s, DSND_STR("\\x{")))
        return 0;
    for (; i < s.len && i < 9 && is_upper_hex(s.ptr[i]); i++)
        point = point << 4 | (unsigned)(s.ptr[i] - (dsnd_is_digit(s.ptr[i]) ? '0' : 'A' - 10));
    if (point < ' ' || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        return 0;
    return i < s.len && s.ptr[i] == '}' ? i + 1 : 0;
}

/* RFC 6533 section 3: a utf-8 address stands as it is, as \x{HEX} or as xtext. */
static bool is_utf8_address(struct dsnd_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        size_t escaped = s.ptr[i] == '\\' ? escaped_point(dsnd_str_slice(s, i, s.len)) : 1;

        if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == '=' || s.ptr[i] == 0x7f || !escaped)
            return false;
        i += escaped - 1;
    }
    return true;
}

static enum dsnd_err take_size(struct dsnd_str value, void *params)
{
    struct smtp_mail_params *mail = params;

    if (value.len > SIZE_DIGITS_MAX)
        return DSND_ERR_SYNTAX;
    return dsnd_str_to_u64(value, UINT64_MAX, &mail->size);
}

static enum dsnd_err take_body(struct dsnd_str value, void *params)
{
    static const struct dsnd_str names[] = {
        [SMTP_BODY_7BIT] = DSND_STR_INIT("7BIT"),
        [SMTP_BODY_8BITMIME] = DSND_STR_INIT("8BITMIME"),
        [SMTP_BODY_BINARYMIME] = DSND_STR_INIT("BINARYMIME"),
    };
    struct smtp_mail_params *mail = params;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (!dsnd_str_ieq(value, names[i]))
            continue;
        mail->body = (enum smtp_body)i;
        return DSND_OK;
    }
    return DSND_ERR_SYNTAX;
}

static enum dsnd_err take_smtputf8(struct dsnd_str value, void *params)
{
    struct smtp_mail_params *mail = params;

    (void)value;
    mail->smtputf8 = true;
    return DSND_OK;
}

static enum dsnd_err take_ret(struct dsnd_str value, void *params)
{
    struct smtp_mail_params *mail = params;

    if (dsnd_str_ieq(value, DSND_STR("FULL")))
        mail->ret = 1;
    else if (dsnd_str_ieq(value, DSND_STR("HDRS")))
        mail->ret = 2;
    else
        return DSND_ERR_SYNTAX;
    return DSND_OK;
}

static enum dsnd_err take_envid(struct dsnd_str value, void *params)
{
    struct smtp_mail_params *mail = params;

    if (value.len > ENVID_MAX || !is_xtext(value))
        return DSND_ERR_SYNTAX;
    mail->envelope_id = value;
    return DSND_OK;
}

static enum dsnd_err take_auth(struct dsnd_str value, void *params)
{
    struct smtp_mail_params *mail = params;

    if (!dsnd_str_eq(value, DSND_STR("<>")) && !is_xtext(value))
        return DSND_ERR_SYNTAX;
    mail->auth = true;
    return DSND_OK;
}

static enum dsnd_err take_notify(struct dsnd_str value, void *params)
{
    static const struct {
        struct dsnd_str name;
        uint8_t bit;
    } words[] = {
        {DSND_STR_INIT("NEVER"), JOURNAL_NOTIFY_NEVER},
        {DSND_STR_INIT("SUCCESS"), JOURNAL_NOTIFY_SUCCESS},
        {DSND_STR_INIT("FAILURE"), JOURNAL_NOTIFY_FAILURE},
        {DSND_STR_INIT("DELAY"), JOURNAL_NOTIFY_DELAY},
    };
    struct smtp_rcpt_params *rcpt = params;
    bool several = dsnd_str_chr(value, ',') != SIZE_MAX;
    uint8_t notify = 0;

    while (dsnd_str_present(value)) {
        struct dsnd_str word = dsnd_str_cut(&value, ',');
        uint8_t bit = 0;

        for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
            if (dsnd_str_ieq(word, words[i].name))
                bit = words[i].bit;
        if (!bit)
            return DSND_ERR_SYNTAX;
        notify |= bit;
    }
    /* NEVER stands alone. */
    if ((notify & JOURNAL_NOTIFY_NEVER) && several)
        return DSND_ERR_SYNTAX;
    rcpt->notify = notify;
    return DSND_OK;
}

static enum dsnd_err take_orcpt(struct dsnd_str value, void *params)
{
    struct smtp_rcpt_params *rcpt = params;
    struct dsnd_str address = value;
    struct dsnd_str type = dsnd_str_cut(&address, ';');
    bool utf8 = dsnd_str_ieq(type, DSND_STR("utf-8"));

    if (!type.len || !address.len || value.len > ORCPT_MAX)
        return DSND_ERR_SYNTAX;
    for (size_t i = 0; i < type.len; i++)
        if (!dsnd_is_alpha(type.ptr[i]) && !dsnd_is_digit(type.ptr[i]) && type.ptr[i] != '-')
            return DSND_ERR_SYNTAX;
    if (utf8 ? !is_utf8_address(address) : !is_xtext(address))
        return DSND_ERR_SYNTAX;
    rcpt->original_recipient = value;
    return DSND_OK;
}

static const struct param_rule mail_rules[] = {
    {DSND_STR_INIT("SIZE"), true, take_size},          {DSND_STR_INIT("BODY"), true, take_body},
    {DSND_STR_INIT("SMTPUTF8"), false, take_smtputf8}, {DSND_STR_INIT("RET"), true, take_ret},
    {DSND_STR_INIT("ENVID"), true, take_envid},        {DSND_STR_INIT("AUTH"), true, take_auth},
};

static const struct param_rule rcpt_rules[] = {
    {DSND_STR_INIT("NOTIFY"), true, take_notify},
    {DSND_STR_INIT("ORCPT"), true, take_orcpt},
};

static enum dsnd_err take_all(struct dsnd_str in, const struct param_rule *rules, size_t count,
                              void *params)
{
    enum dsnd_err unknown = DSND_OK;
    unsigned seen = 0;

    for (;;) {
        struct smtp_param param;
        enum dsnd_err err = smtp_path_param(&in, &param);
        size_t i = 0;

        if (err == DSND_ERR_NOT_FOUND)
            return unknown;
        if (err)
            return err;
        while (i < count && !dsnd_str_ieq(param.keyword, rules[i].keyword))
            i++;
        if (i == count) {
            unknown = DSND_ERR_NOT_FOUND; /* a syntax error behind it comes first */
            continue;
        }
        if ((seen & 1u << i) || dsnd_str_present(param.value) != rules[i].has_value)
            return DSND_ERR_SYNTAX;
        seen |= 1u << i;
        err = rules[i].take(param.value, params);
        if (err)
            return err;
    }
}

enum dsnd_err smtp_param_mail(struct dsnd_str in, struct smtp_mail_params *ret_params)
{
    struct smtp_mail_params params = {0};
    enum dsnd_err err = take_all(in, mail_rules, sizeof(mail_rules) / sizeof(*mail_rules), &params);

    if (!err)
        *ret_params = params;
    return err;
}

enum dsnd_err smtp_param_rcpt(struct dsnd_str in, struct smtp_rcpt_params *ret_params)
{
    struct smtp_rcpt_params params = {0};
    enum dsnd_err err = take_all(in, rcpt_rules, sizeof(rcpt_rules) / sizeof(*rcpt_rules), &params);

    if (!err)
        *ret_params = params;
    return err;
}
