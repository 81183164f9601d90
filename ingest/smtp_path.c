#include "ingest/smtp_path.h"

#include <arpa/inet.h>
#include <stdint.h>

static bool is_atext(char c)
{
    return dsnd_is_alpha(c) || dsnd_is_digit(c) || (unsigned char)c >= 0x80 ||
           (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

bool smtp_path_is_8bit(struct dsnd_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] >= 0x80)
            return true;
    return false;
}

/* Octets of a Dot-string at the front, or 0. */
static size_t dot_string(struct dsnd_str s)
{
    size_t i = 0;

    for (;;) {
        size_t start = i;

        while (i < s.len && is_atext(s.ptr[i]))
            i++;
        if (i == start)
            return 0;
        if (i == s.len || s.ptr[i] != '.')
            return i;
        i++;
    }
}

/* Octets of a Quoted-string at the front with its quotes, or 0. */
static size_t quoted_string(struct dsnd_str s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] == '"')
            return i + 1;
        if (s.ptr[i] == '\\' && ++i == s.len)
            return 0;
        if (s.ptr[i] == '\t')
            return 0;
    }
    return 0;
}

static bool is_label_octet(char c)
{
    /* The underscore is no host name, but it stands in addresses of real senders. */
    return dsnd_is_alpha(c) || dsnd_is_digit(c) || c == '-' || c == '_' || (unsigned char)c >= 0x80;
}

/* Characters of UTF-8: what is no ASCII takes more octets here than in the DNS, to which 63 apply.
 */
static size_t characters(struct dsnd_str s)
{
    size_t count = 0;

    for (size_t i = 0; i < s.len; i++)
        count += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return count;
}

/* Octets of a domain at the front: labels of 1-63, none with a hyphen at an end; or 0. */
static size_t domain_name(struct dsnd_str s)
{
    size_t i = 0;

    for (;;) {
        size_t start = i;

        while (i < s.len && is_label_octet(s.ptr[i]))
            i++;
        if (i == start || characters(dsnd_str_slice(s, start, i)) > 63 || s.ptr[start] == '-' ||
            s.ptr[i - 1] == '-')
            return 0;
        if (i == s.len || s.ptr[i] != '.')
            return i;
        i++;
    }
}

/* What stands between the brackets of an address literal: no tag but IPv6 was ever registered. */
static bool is_ip_address(struct dsnd_str s)
{
    static const struct dsnd_str tag = DSND_STR_INIT("IPv6:");
    bool v6 = dsnd_str_istarts(s, tag);
    char text[INET6_ADDRSTRLEN];
    unsigned char octets[16];

    if (dsnd_str_copy(v6 ? dsnd_str_slice(s, tag.len, s.len) : s, text, sizeof(text)))
        return false;
    return inet_pton(v6 ? AF_INET6 : AF_INET, text, octets) == 1;
}

/* Octets of an address literal at the front with its brackets, or 0 (RFC 5321 section 4.1.3). */
static size_t address_literal(struct dsnd_str s)
{
    size_t end = dsnd_str_chr(s, ']');

    return end != SIZE_MAX && is_ip_address(dsnd_str_slice(s, 1, end)) ? end + 1 : 0;
}

/* "@one,@two:" before the mailbox is accepted and ignored (RFC 5321 appendix C). */
static enum dsnd_err skip_source_route(struct dsnd_str *in)
{
    struct dsnd_str s = *in;

    if (!s.len || s.ptr[0] != '@')
        return DSND_OK;
    while (s.len && s.ptr[0] == '@') {
        size_t len;

        s = dsnd_str_slice(s, 1, s.len);
        len = domain_name(s);
        if (!len || len == s.len)
            return DSND_ERR_SYNTAX;
        s = dsnd_str_slice(s, len, s.len);
        if (s.ptr[0] == ':') {
            *in = dsnd_str_slice(s, 1, s.len);
            return DSND_OK;
        }
        if (s.ptr[0] != ',')
            return DSND_ERR_SYNTAX;
        s = dsnd_str_slice(s, 1, s.len);
    }
    return DSND_ERR_SYNTAX;
}

static size_t local_part(struct dsnd_str s)
{
    return s.len && s.ptr[0] == '"' ? quoted_string(s) : dot_string(s);
}

static size_t domain_part(struct dsnd_str s)
{
    return s.len && s.ptr[0] == '[' ? address_literal(s) : domain_name(s);
}

/* What stands between < and > ; `*in` then begins with >. */
static enum dsnd_err parse_mailbox(struct dsnd_str *in, struct smtp_path *ret_path)
{
    struct smtp_path path = {DSND_STR(""), DSND_STR(""), DSND_STR(""), false};
    struct dsnd_str s = *in;
    size_t len = local_part(s);
    size_t domain_len = 0;

    if (!len || len == s.len)
        return DSND_ERR_SYNTAX;
    path.local = dsnd_str_slice(s, 0, len);
    if (s.ptr[len] == '@') {
        domain_len = domain_part(dsnd_str_slice(s, len + 1, s.len));
        if (!domain_len)
            return DSND_ERR_SYNTAX;
        path.domain = dsnd_str_slice(s, len + 1, len + 1 + domain_len);
        domain_len++;
    } else if (!dsnd_str_ieq(path.local, DSND_STR("postmaster"))) {
        return DSND_ERR_SYNTAX;
    }
    if (path.local.len > SMTP_PATH_LOCAL_MAX || path.domain.len > SMTP_PATH_DOMAIN_MAX)
        return DSND_ERR_LIMIT;
    path.address = dsnd_str_slice(s, 0, len + domain_len);
    path.utf8 = smtp_path_is_8bit(path.address);
    *in = dsnd_str_slice(s, len + domain_len, s.len);
    *ret_path = path;
    return DSND_OK;
}

static void skip_spaces(struct dsnd_str *in)
{
    size_t i = 0;

    while (i < in->len && (in->ptr[i] == ' ' || in->ptr[i] == '\t'))
        i++;
    *in = dsnd_str_slice(*in, i, in->len);
}

enum dsnd_err smtp_path_parse(struct dsnd_str keyword, struct dsnd_str *in,
                              struct smtp_path *ret_path)
{
    struct smtp_path path = {DSND_STR(""), DSND_STR(""), DSND_STR(""), false};
    struct dsnd_str s = *in;
    enum dsnd_err err = DSND_OK;

    if (!dsnd_str_istarts(s, keyword))
        return DSND_ERR_SYNTAX;
    s = dsnd_str_slice(s, keyword.len, s.len);
    skip_spaces(&s);
    if (!s.len || s.ptr[0] != '<')
        return DSND_ERR_SYNTAX;
    s = dsnd_str_slice(s, 1, s.len);
    if (!s.len || s.ptr[0] != '>') {
        err = skip_source_route(&s);
        if (!err)
            err = parse_mailbox(&s, &path);
    }
    if (err)
        return err;
    if (!s.len || s.ptr[0] != '>')
        return DSND_ERR_SYNTAX;
    s = dsnd_str_slice(s, 1, s.len);
    if (s.len && s.ptr[0] != ' ' && s.ptr[0] != '\t')
        return DSND_ERR_SYNTAX;
    *in = s;
    *ret_path = path;
    return DSND_OK;
}

enum dsnd_err smtp_path_param(struct dsnd_str *in, struct smtp_param *ret_param)
{
    struct smtp_param param = {DSND_STR_ABSENT, DSND_STR_ABSENT};
    struct dsnd_str s = *in;
    size_t end = 0;

    skip_spaces(&s);
    if (!s.len)
        return DSND_ERR_NOT_FOUND;
    while (end < s.len &&
           (dsnd_is_alpha(s.ptr[end]) || dsnd_is_digit(s.ptr[end]) || (end && s.ptr[end] == '-')))
        end++;
    if (!end)
        return DSND_ERR_SYNTAX;
    param.keyword = dsnd_str_slice(s, 0, end);
    s = dsnd_str_slice(s, end, s.len);
    if (s.len && s.ptr[0] == '=') {
        for (end = 1; end < s.len && s.ptr[end] != ' ' && s.ptr[end] != '\t'; end++)
            if (s.ptr[end] == '=')
                return DSND_ERR_SYNTAX;
        if (end == 1)
            return DSND_ERR_SYNTAX;
        param.value = dsnd_str_slice(s, 1, end);
        s = dsnd_str_slice(s, end, s.len);
    }
    if (s.len && s.ptr[0] != ' ' && s.ptr[0] != '\t')
        return DSND_ERR_SYNTAX;
    *in = s;
    *ret_param = param;
    return DSND_OK;
}
