#include "cmd/stored_envelope.h"

#include <stdint.h>

#include "parse/address.h"

/* By trust: what the delivering server wrote comes before what the sender wrote. */
static const char *const names[] = {"Delivered-To",  "X-Original-To", "Envelope-To",
                                    "X-Envelope-To", "X-Rcpt-To",     "To"};
enum { NAMES = sizeof(names) / sizeof(*names), HEADER_OCTETS_MAX = 256 * 1024 };

struct search {
    struct dsnd_str first[NAMES]; /* the first address of each */
    struct dsnd_str signed_form;
    size_t signed_name;
};

static bool has_form(struct dsnd_str address)
{
    static const struct return_path_keys no_keys;
    struct return_path path;

    return_path_verify(&no_keys, address, 0, 0, &path);
    return path.verdict != RETURN_PATH_NONE;
}

static void take_value(struct search *self, size_t name, struct dsnd_str value)
{
    size_t at = 0;

    for (struct dsnd_str address = address_next(value, &at); address.len;
         address = address_next(value, &at)) {
        if (!self->first[name].len)
            self->first[name] = address;
        if (name < self->signed_name && has_form(address)) {
            self->signed_form = address;
            self->signed_name = name;
        }
    }
}

/* The index of the header a line begins with; NAMES for any other. */
static size_t name_of(struct dsnd_str line)
{
    struct dsnd_str name = dsnd_str_trim(dsnd_str_slice(line, 0, dsnd_str_chr(line, ':')));
    size_t i = 0;

    while (i < NAMES && !dsnd_str_ieq(name, dsnd_str_of(names[i])))
        i++;
    return i;
}

struct dsnd_str stored_envelope_to(struct dsnd_str message, const char **ret_header)
{
    struct search search = {.signed_name = NAMES};
    struct dsnd_str rest = dsnd_str_slice(message, 0, HEADER_OCTETS_MAX);
    struct dsnd_str line;
    size_t name = NAMES;

    while ((line = dsnd_str_line(&rest)).len) {
        bool is_folded = line.ptr[0] == ' ' || line.ptr[0] == '\t';

        if (!is_folded)
            name = name_of(line);
        if (name < NAMES)
            take_value(&search, name,
                       is_folded ? line
                                 : dsnd_str_slice(line, dsnd_str_chr(line, ':') + 1, line.len));
    }
    if (search.signed_form.len) {
        *ret_header = names[search.signed_name];
        return search.signed_form;
    }
    for (size_t i = 0; i < NAMES; i++)
        if (search.first[i].len) {
            *ret_header = names[i];
            return search.first[i];
        }
    return DSND_STR_ABSENT;
}
