#include "parse/return_path_unwrap.h"

/* Forwarders chain, but not without end. */
enum { LAYERS_MAX = 8 };

/* The text behind `=` number `skip` of `s`; absent when there are fewer. */
static struct dsnd_str behind_equals(struct dsnd_str s, unsigned skip)
{
    while (skip-- > 0)
        (void)dsnd_str_cut(&s, '=');
    return s;
}

/* prvs=tag=local, and the older prvs=local/tag. */
static bool unwrap_prvs(struct return_path_parts *parts)
{
    struct dsnd_str rest = dsnd_str_slice(parts->local, 5, parts->local.len);
    struct dsnd_str local = behind_equals(rest, 1);
    size_t slash = dsnd_str_rchr(rest, '/');

    if (!dsnd_str_present(local) && slash != SIZE_MAX)
        local = dsnd_str_slice(rest, 0, slash);
    if (local.len == 0)
        return false;
    parts->local = local;
    return true;
}

/* btv1==tag==local. */
static bool unwrap_btv1(struct return_path_parts *parts)
{
    struct dsnd_str rest = dsnd_str_slice(parts->local, 6, parts->local.len);
    struct dsnd_str local = behind_equals(rest, 2);

    if (local.len == 0)
        return false;
    parts->local = local;
    return true;
}

/* hash=time=domain=local, what follows the SRS0 tag and its separator. */
static bool unwrap_srs_body(struct return_path_parts *parts, struct dsnd_str body)
{
    struct dsnd_str rest = behind_equals(body, 2);
    struct dsnd_str domain;

    if (!dsnd_str_present(rest))
        return false;
    domain = dsnd_str_cut(&rest, '=');
    if (domain.len == 0 || rest.len == 0)
        return false;
    parts->domain = domain;
    parts->local = rest;
    return true;
}

static bool is_separator(struct dsnd_str s, size_t at)
{
    return at < s.len && (s.ptr[at] == '=' || s.ptr[at] == '+' || s.ptr[at] == '-');
}

/* SRS0=hash=time=domain=local. */
static bool unwrap_srs0(struct return_path_parts *parts)
{
    if (!is_separator(parts->local, 4))
        return false;
    return unwrap_srs_body(parts, dsnd_str_slice(parts->local, 5, parts->local.len));
}

/* SRS1=hash=first-forwarder==hash=time=domain=local: the body of SRS0 keeps its separator. */
static bool unwrap_srs1(struct return_path_parts *parts)
{
    struct dsnd_str body;

    if (!is_separator(parts->local, 4))
        return false;
    body = behind_equals(dsnd_str_slice(parts->local, 5, parts->local.len), 2);
    if (!is_separator(body, 0))
        return false;
    return unwrap_srs_body(parts, dsnd_str_slice(body, 1, body.len));
}

/* anything+SRS=hash=time=domain=local. */
static bool unwrap_plus_srs(struct return_path_parts *parts)
{
    static const struct dsnd_str tag = DSND_STR_INIT("+srs=");
    size_t at = dsnd_str_ifind(parts->local, tag);

    if (at == SIZE_MAX)
        return false;
    return unwrap_srs_body(parts, dsnd_str_slice(parts->local, at + tag.len, parts->local.len));
}

static bool unwrap_one(struct return_path_parts *parts)
{
    static const struct {
        struct dsnd_str prefix;
        bool (*unwrap)(struct return_path_parts *parts);
    } layers[] = {
        {DSND_STR_INIT("prvs="), unwrap_prvs}, {DSND_STR_INIT("btv1=="), unwrap_btv1},
        {DSND_STR_INIT("srs0"), unwrap_srs0},  {DSND_STR_INIT("srs1"), unwrap_srs1},
        {DSND_STR_INIT(""), unwrap_plus_srs},
    };

    for (size_t i = 0; i < sizeof(layers) / sizeof(*layers); i++)
        if (dsnd_str_istarts(parts->local, layers[i].prefix) && layers[i].unwrap(parts))
            return true;
    return false;
}

void return_path_unwrap(struct return_path_parts *parts)
{
    for (int i = 0; i < LAYERS_MAX && unwrap_one(parts); i++)
        continue;
}
