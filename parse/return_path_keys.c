/*
 * The keys file of return paths.
 */
#include "parse/return_path.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"

static const char allowed[] = "a line is `id hex`: one of [a-z0-9], a space, 64 hex digits";

/* One line that is neither empty nor a comment; NULL, or what is wrong with it. */
static const char *read_line(struct dsnd_str line, struct return_path_keys *keys)
{
    struct return_path_key key;
    char id;

    if (line.len < 3 || !dsnd_is_space(line.ptr[1]))
        return "no key";
    id = line.ptr[0];
    if (!dsnd_is_digit(id) && !(id >= 'a' && id <= 'z'))
        return "bad key id";
    for (size_t i = 0; i < keys->count; i++)
        if (keys->key[i].id == id)
            return "key id used twice";
    key.id = id;
    if (!hex_decode(dsnd_str_trim(dsnd_str_slice(line, 1, line.len)), key.octets,
                    RETURN_PATH_KEY_OCTETS))
        return "bad key";
    keys->key[keys->count++] = key;
    return NULL;
}

enum dsnd_err return_path_keys_read(struct dsnd_str text, char *error, size_t error_size,
                                    struct return_path_keys *ret_keys)
{
    struct return_path_keys keys;
    struct dsnd_str line;

    memset(&keys, 0, sizeof(keys));
    for (unsigned number = 1; dsnd_str_present(line = dsnd_str_line(&text)); number++) {
        const char *wrong;

        line = dsnd_str_trim(dsnd_str_cut(&line, '#'));
        if (line.len == 0)
            continue;
        if (keys.count == RETURN_PATH_KEYS_MAX) {
            (void)snprintf(error, error_size, "line %u: more than %d keys", number,
                           RETURN_PATH_KEYS_MAX);
            return DSND_ERR_LIMIT;
        }
        wrong = read_line(line, &keys);
        if (wrong) {
            (void)snprintf(error, error_size, "line %u: %s; %s", number, wrong, allowed);
            return DSND_ERR_SYNTAX;
        }
    }
    if (keys.count == 0) {
        (void)snprintf(error, error_size, "no key in it; %s", allowed);
        return DSND_ERR_SYNTAX;
    }
    *ret_keys = keys;
    return DSND_OK;
}
