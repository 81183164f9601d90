#include "parse/provider.h"

#include "parse/rules.h"

/* clang-format off */
#define HOST(family, domain)
#define FAMILY(name) PROVIDER_##name,
enum provider {
#include "parse/providers.def"
    PROVIDER_COUNT
};
#undef FAMILY

#define FAMILY(name) DSND_STR_INIT(#name),
static const struct dsnd_str names[PROVIDER_COUNT] = {
#include "parse/providers.def"
};
#undef FAMILY
#undef HOST

#define FAMILY(name)
#define HOST(family, domain) {DSND_STR_INIT(domain), PROVIDER_##family},
static const struct host {
    struct dsnd_str domain;
    enum provider family;
} hosts[] = {
#include "parse/providers.def"
};
#undef FAMILY
#undef HOST
/* clang-format on */

enum {
    SUFFIX_LABEL_MAX = 4, /* octets of a label that "*" may stand for */
};

size_t provider_count(void)
{
    return PROVIDER_COUNT;
}

struct dsnd_str provider_name(size_t index)
{
    return index < PROVIDER_COUNT ? names[index] : DSND_STR_ABSENT;
}

size_t provider_index(struct dsnd_str name)
{
    size_t i = 0;

    while (i < PROVIDER_COUNT && !dsnd_str_eq(names[i], name))
        i++;
    return i;
}

/* `host` is `domain` or lies under it. */
static bool is_under(struct dsnd_str host, struct dsnd_str domain)
{
    if (host.len < domain.len || dsnd_lower(host.ptr[host.len - 1]) != domain.ptr[domain.len - 1] ||
        !dsnd_str_iends(host, domain))
        return false;
    return host.len == domain.len || host.ptr[host.len - domain.len - 1] == '.';
}

/* A host name cut for rows of the form "name.*". */
struct registered {
    struct dsnd_str label; /* the one before the suffix; absent: no short suffix */
    size_t len;            /* octets of label and suffix */
};

/* The label before the last `labels` labels, where each of those is short. */
static struct registered cut_suffix(struct dsnd_str host, int labels)
{
    static const struct registered none = {{NULL, 0}, 0};
    struct dsnd_str front = host;
    size_t dot;

    for (int i = 0; i < labels; i++) {
        dot = dsnd_str_rchr(front, '.');
        if (dot == SIZE_MAX || front.len - dot - 1 > SUFFIX_LABEL_MAX)
            return none;
        front = dsnd_str_slice(front, 0, dot);
    }
    dot = dsnd_str_rchr(front, '.');
    if (dot != SIZE_MAX)
        front = dsnd_str_slice(front, dot + 1, front.len);
    return (struct registered){front, (size_t)(host.ptr + host.len - front.ptr)};
}

/* Octets of `host` that the row covers; 0: it is another's. */
static size_t covers(const struct host *row, struct dsnd_str host, const struct registered cut[2])
{
    struct dsnd_str domain = row->domain;

    if (domain.ptr[domain.len - 1] != '*')
        return is_under(host, domain) ? domain.len : 0;
    domain = dsnd_str_slice(domain, 0, domain.len - 2);
    for (int i = 0; i < 2; i++)
        if (cut[i].label.len == domain.len && dsnd_str_ieq(cut[i].label, domain))
            return cut[i].len - 1; /* a row that spells the same out goes before */
    return 0;
}

size_t provider_index_of(struct dsnd_str host)
{
    struct registered cut[2];
    size_t best = PROVIDER_COUNT;
    size_t best_len = 0;

    host = dsnd_str_trim(host);
    host = dsnd_str_cut(&host, ' ');
    if (host.len > 0 && host.ptr[host.len - 1] == '.')
        host.len--;
    if (host.len == 0 || host.len > 255)
        return PROVIDER_COUNT;
    cut[0] = cut_suffix(host, 1);
    cut[1] = cut_suffix(host, 2);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
        size_t len = covers(&hosts[i], host, cut);

        if (len > best_len) {
            best_len = len;
            best = hosts[i].family;
        }
    }
    return best;
}

struct dsnd_str provider_of(struct dsnd_str host)
{
    return provider_name(provider_index_of(host));
}
