#include "parse/provider.h"

#include "parse/provider_set.h"

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
static const struct provider_host hosts[] = {
#include "parse/providers.def"
};
#undef FAMILY
#undef HOST
/* clang-format on */

enum {
    SUFFIX_LABEL_MAX = 4, /* octets of a label that "*" may stand for */
};

size_t provider_count(const struct provider_set *set)
{
    return PROVIDER_COUNT + (set ? set->name_count : 0);
}

struct dsnd_str provider_name(const struct provider_set *set, size_t index)
{
    if (index < PROVIDER_COUNT)
        return names[index];
    return index < provider_count(set) ? set->names[index - PROVIDER_COUNT] : DSND_STR_ABSENT;
}

size_t provider_index(const struct provider_set *set, struct dsnd_str name)
{
    size_t i = 0;

    while (i < provider_count(set) && !dsnd_str_eq(provider_name(set, i), name))
        i++;
    return i;
}

struct dsnd_str provider_set_version(const struct provider_set *set)
{
    return set ? dsnd_str_make(set->version, sizeof(set->version)) : DSND_STR_ABSENT;
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
static size_t covers(const struct provider_host *row, struct dsnd_str host,
                     const struct registered cut[2])
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

/* The row that covers most of a host so far. */
struct best {
    size_t family;
    size_t len;
};

static void search(const struct provider_host *rows, size_t count, struct dsnd_str host,
                   const struct registered cut[2], struct best *best)
{
    size_t longest = best->len;

    for (size_t i = 0; i < count; i++) {
        size_t len = covers(&rows[i], host, cut);

        /* A later table goes before one that covers as much. */
        if (len > best->len || (len && len == longest && len == best->len)) {
            *best = (struct best){rows[i].family, len};
            longest = 0;
        }
    }
}

size_t provider_index_of(const struct provider_set *set, struct dsnd_str host)
{
    struct registered cut[2];
    struct best best = {provider_count(set), 0};

    host = dsnd_str_trim(host);
    host = dsnd_str_cut(&host, ' ');
    if (host.len > 0 && host.ptr[host.len - 1] == '.')
        host.len--;
    if (host.len == 0 || host.len > 255)
        return best.family;
    cut[0] = cut_suffix(host, 1);
    cut[1] = cut_suffix(host, 2);
    search(hosts, sizeof(hosts) / sizeof(*hosts), host, cut, &best);
    if (set)
        search(set->hosts, set->host_count, host, cut, &best);
    return best.family;
}

struct dsnd_str provider_of(const struct provider_set *set, struct dsnd_str host)
{
    return provider_name(set, provider_index_of(set, host));
}
