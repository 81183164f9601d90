/*
 * The operator's own providers: a file of lines "family domain ...".
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "parse/base32.h"
#include "parse/digest.h"
#include "parse/provider_set.h"

enum { ARENA_MAX = 4 * 1024 * 1024, FAMILY_MAX = 32, DOMAIN_MAX = 253 };

struct reader {
    struct provider_set *set;
    unsigned line;
    char *error;
    size_t error_size;
};

DSND_PRINTF(2, 3)
static enum dsnd_err fail(const struct reader *self, const char *format, ...)
{
    va_list args;
    int len = snprintf(self->error, self->error_size, "line %u: ", self->line);

    va_start(args, format);
    if (len > 0 && (size_t)len < self->error_size)
        (void)vsnprintf(self->error + len, self->error_size - (size_t)len, format, args);
    va_end(args);
    return DSND_ERR_SYNTAX;
}

static bool is_family(struct dsnd_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!(s.ptr[i] >= 'a' && s.ptr[i] <= 'z') && !dsnd_is_digit(s.ptr[i]) && s.ptr[i] != '_')
            return false;
    return s.len > 0 && s.len <= FAMILY_MAX;
}

/* Labels of letters, digits and hyphens; "name.*" for any public suffix. */
static bool is_domain(struct dsnd_str s)
{
    size_t label = 0;

    if (s.len > 2 && s.ptr[s.len - 1] == '*' && s.ptr[s.len - 2] == '.') {
        s.len -= 2;
        if (dsnd_str_chr(s, '.') != SIZE_MAX)
            return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        bool good = dsnd_is_alpha(s.ptr[i]) || dsnd_is_digit(s.ptr[i]) || s.ptr[i] == '-';

        if (!good && !(s.ptr[i] == '.' && label))
            return false;
        label = good ? label + 1 : 0;
    }
    return label > 0 && s.len <= DOMAIN_MAX;
}

static enum dsnd_err find_family(struct reader *self, struct dsnd_str name, size_t *ret_index)
{
    struct provider_set *set = self->set;
    size_t index = provider_index(set, name);

    if (!is_family(name))
        return fail(self, "a line begins with the name of a family, 1 to %d of a-z, 0-9 and _",
                    FAMILY_MAX);
    *ret_index = index;
    if (index < provider_count(set))
        return DSND_OK;
    if (set->name_count == PROVIDER_FAMILIES_MAX)
        return fail(self, "at most %d families of your own", PROVIDER_FAMILIES_MAX);
    return dsnd_arena_copy(&set->arena, name, &set->names[set->name_count++]);
}

static enum dsnd_err add_domain(struct reader *self, size_t family, struct dsnd_str domain)
{
    struct provider_set *set = self->set;
    char lower[DOMAIN_MAX + 3];

    if (!is_domain(domain))
        return fail(self,
                    "\"%.*s\" is no domain: letters, digits, - and ., or name.* for name under "
                    "every public suffix",
                    (int)(domain.len < 64 ? domain.len : 64), domain.ptr);
    if (set->host_count == PROVIDER_DOMAINS_MAX)
        return fail(self, "at most %d domains", PROVIDER_DOMAINS_MAX);
    for (size_t i = 0; i < domain.len; i++)
        lower[i] = dsnd_lower(domain.ptr[i]);
    set->hosts[set->host_count].family = family;
    return dsnd_arena_copy(&set->arena, dsnd_str_make(lower, domain.len),
                           &set->hosts[set->host_count++].domain);
}

/* The next word of `*line`; absent at its end. */
static struct dsnd_str next_word(struct dsnd_str *line)
{
    struct dsnd_str word;
    size_t len = 0;

    *line = dsnd_str_trim(*line);
    while (len < line->len && !dsnd_is_space(line->ptr[len]))
        len++;
    word = len ? dsnd_str_slice(*line, 0, len) : DSND_STR_ABSENT;
    *line = dsnd_str_slice(*line, len, line->len);
    return word;
}

static enum dsnd_err read_line(struct reader *self, struct dsnd_str line)
{
    struct dsnd_str name;
    struct dsnd_str domain;
    size_t family = 0;
    size_t count = 0;
    enum dsnd_err err;

    line = dsnd_str_slice(line, 0, dsnd_str_chr(line, '#'));
    name = next_word(&line);
    if (!dsnd_str_present(name))
        return DSND_OK;
    err = find_family(self, name, &family);
    for (; !err && dsnd_str_present(domain = next_word(&line)); count++)
        err = add_domain(self, family, domain);
    return err || count ? err : fail(self, "a family is followed by its domains");
}

static enum dsnd_err name_version(struct provider_set *set, struct dsnd_str text)
{
    unsigned char digest[DIGEST_OCTETS];

    if (digest_sha256(text, digest))
        return DSND_ERR_NOMEM;
    base32_encode(digest, PROVIDER_VERSION_CHARS, set->version);
    return DSND_OK;
}

enum dsnd_err provider_set_read(struct dsnd_str text, char *error, size_t error_size,
                                struct provider_set **ret_set)
{
    struct provider_set *set = calloc(1, sizeof(*set));
    struct reader reader = {set, 0, error, error_size};
    struct dsnd_str line;
    enum dsnd_err err = DSND_OK;

    if (!set)
        return DSND_ERR_NOMEM;
    set->arena = DSND_ARENA_INIT(ARENA_MAX);
    set->names = dsnd_arena_array(&set->arena, PROVIDER_FAMILIES_MAX, sizeof(*set->names));
    set->hosts = dsnd_arena_array(&set->arena, PROVIDER_DOMAINS_MAX, sizeof(*set->hosts));
    if (!set->names || !set->hosts)
        err = DSND_ERR_NOMEM;
    else
        err = name_version(set, text);
    while (!err && dsnd_str_present(line = dsnd_str_line(&text))) {
        reader.line++;
        err = read_line(&reader, line);
    }
    if (err) {
        provider_set_free(set);
        return err;
    }
    *ret_set = set;
    return DSND_OK;
}

void provider_set_free(struct provider_set *set)
{
    if (!set)
        return;
    dsnd_arena_done(&set->arena);
    free(set);
}
