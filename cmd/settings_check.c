#include "cmd/settings_check.h"

#include <stdio.h>
#include <sys/un.h>

#include "ingest/smtp_listen.h"
#include "ingest/smtp_proxy.h"
#include "ingest/smtp_server.h"
#include "relay/send.h"
#include "store/store.h"

/* One form of which a value holds one or, comma-separated, up to `max`. */
struct form {
    bool (*is)(struct dsnd_str one);
    size_t max;
    const char *allowed;
};

static enum dsnd_err refuse(struct dsnd_str value, const char *allowed, struct config_error *error)
{
    if (snprintf(error->text, sizeof(error->text), "\"%.*s\" is not allowed; allowed is %s",
                 DSND_STR_ARG(dsnd_str_slice(value, 0, 300)), allowed) < 0)
        error->text[0] = '\0';
    return DSND_ERR_SYNTAX;
}

/* Empty ones between two commas count as absent, as those who read the value have it. */
static enum dsnd_err check_list(struct dsnd_str value, const struct form *form,
                                struct config_error *error)
{
    struct dsnd_str rest = value;
    size_t count = 0;

    while (dsnd_str_present(rest)) {
        struct dsnd_str one = dsnd_str_trim(dsnd_str_cut(&rest, ','));

        if (one.len && !form->is(one))
            return refuse(one, form->allowed, error);
        count += one.len > 0;
    }
    if (count <= form->max)
        return DSND_OK;
    (void)snprintf(error->text, sizeof(error->text), "%zu are too many; at most %zu are allowed",
                   count, form->max);
    return DSND_ERR_SYNTAX;
}

/* Letters, digits, UTF-8 and what `others` holds. */
static bool is_made_of(struct dsnd_str s, struct dsnd_str others)
{
    for (size_t i = 0; i < s.len; i++)
        if (!dsnd_is_alpha(s.ptr[i]) && !dsnd_is_digit(s.ptr[i]) &&
            (unsigned char)s.ptr[i] < 0x80 && dsnd_str_chr(others, s.ptr[i]) == SIZE_MAX)
            return false;
    return true;
}

/* ---- where to listen ---- */

static bool is_host_and_port(struct dsnd_str s, bool needs_host)
{
    size_t colon = dsnd_str_rchr(s, ':');
    struct dsnd_str host = dsnd_str_slice(s, 0, colon);
    uint64_t port;

    return colon != SIZE_MAX && (host.len || !needs_host) &&
           is_made_of(host, DSND_STR(".-_:[]%")) &&
           !dsnd_str_to_u64(dsnd_str_slice(s, colon + 1, s.len), UINT16_MAX, &port);
}

static bool is_listener(struct dsnd_str s)
{
    if (s.ptr[0] == '/')
        return s.len < sizeof(((struct sockaddr_un *)0)->sun_path);
    return is_host_and_port(s, true);
}

enum dsnd_err settings_check_listen(struct dsnd_str value, struct config_error *ret_error)
{
    static const struct form form = {
        is_listener, SMTP_ADDRESSES_MAX,
        "host:port, [v6]:port or the /path of a unix socket, at most 107 octets"};

    return check_list(value, &form, ret_error);
}

enum dsnd_err settings_check_http(struct dsnd_str value, struct config_error *ret_error)
{
    return is_host_and_port(value, false) ? DSND_OK
                                          : refuse(value, "one host:port or [v6]:port", ret_error);
}

/* ---- names and networks ---- */

/* A name, or the literal of an address. What nobody can send mail to is a slip of the pen. */
static bool is_domain(struct dsnd_str s)
{
    bool is_literal = s.ptr[0] == '[' && s.ptr[s.len - 1] == ']';

    return s.len <= 255 && s.ptr[0] != '.' && s.ptr[s.len - 1] != '.' &&
           dsnd_str_find(s, DSND_STR("..")) == SIZE_MAX &&
           is_made_of(s, is_literal ? DSND_STR(".:[]") : DSND_STR(".-_"));
}

enum dsnd_err settings_check_domains(struct dsnd_str value, struct config_error *ret_error)
{
    static const struct form form = {is_domain, SMTP_DOMAINS_MAX,
                                     "a domain, as in bounces.example.com, or several with commas"};

    return check_list(value, &form, ret_error);
}

enum dsnd_err settings_check_hostname(struct dsnd_str value, struct config_error *ret_error)
{
    bool good = value.len <= 255;

    for (size_t i = 0; i < value.len; i++)
        good = good && value.ptr[i] > ' ' && value.ptr[i] < 0x7f;
    return good ? DSND_OK : refuse(value, "one name of at most 255 octets of ASCII", ret_error);
}

enum dsnd_err settings_check_networks(struct dsnd_str value, struct config_error *ret_error)
{
    struct smtp_networks networks;
    char text[CONFIG_STRING_SIZE];
    enum dsnd_err err = dsnd_str_copy(value, text, sizeof(text));

    if (!err)
        err = smtp_networks_parse(text, ret_error->text, sizeof(ret_error->text), &networks);
    return err ? DSND_ERR_SYNTAX : DSND_OK;
}

static bool is_field_name(struct dsnd_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f || s.ptr[i] == ':')
            return false;
    return true;
}

enum dsnd_err settings_check_headers(struct dsnd_str value, struct config_error *ret_error)
{
    static const struct form form = {is_field_name, CONFIG_STRING_SIZE,
                                     "the name of a header, as in X-Campaign-ID, or several with "
                                     "commas"};

    return check_list(value, &form, ret_error);
}

/* ---- others ---- */

enum dsnd_err settings_check_relay(struct dsnd_str value, struct config_error *ret_error)
{
    char text[CONFIG_STRING_SIZE];

    if (dsnd_str_copy(value, text, sizeof(text)) == DSND_OK &&
        (!value.len || relay_url_valid(text)))
        return DSND_OK;
    return refuse(value, "smtp://host:port or smtps://host:port", ret_error);
}

enum dsnd_err settings_check_url(struct dsnd_str value, struct config_error *ret_error)
{
    char text[CONFIG_STRING_SIZE];

    if (dsnd_str_copy(value, text, sizeof(text)) == DSND_OK && store_url_valid(text))
        return DSND_OK;
    (void)snprintf(
        ret_error->text, sizeof(ret_error->text),
        "libpq cannot read it; allowed is postgresql://user:password@host:port/database, "
        "with %%XX for what is special, or keyword=value pairs");
    return DSND_ERR_SYNTAX;
}

enum dsnd_err settings_check_dir(struct dsnd_str value, struct config_error *ret_error)
{
    return value.len ? DSND_OK : refuse(value, "the path of a folder", ret_error);
}
