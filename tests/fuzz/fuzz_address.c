/*
 * Reads arbitrary octets as an address, an address field, prose with addresses, xtext, a date,
 * codes and a list of fields. Properties: views lie inside the input; what address_next finds is
 * mail; each call moves on; decoding never makes text longer; decoded plain text stays as it is.
 */
#include <stdlib.h>
#include <string.h>

#include "parse/address.h"
#include "parse/date.h"
#include "parse/fields.h"
#include "parse/status_code.h"
#include "parse/xtext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static bool lies_inside(struct dsnd_str part, struct dsnd_str whole)
{
    return !part.len || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_prose(struct dsnd_str text)
{
    size_t at = 0;
    size_t before = 0;

    for (struct dsnd_str one = address_next(text, &at); one.len; one = address_next(text, &at)) {
        require(lies_inside(one, text));
        require(dsnd_str_chr(one, '@') != SIZE_MAX);
        require(at > before && at <= text.len);
        before = at;
    }
}

static void check_fields(struct dsnd_str text)
{
    struct dsnd_str rest = text;
    struct field field;
    enum fields_line line;

    do {
        size_t before = rest.len;

        field = (struct field){DSND_STR_ABSENT, DSND_STR_ABSENT};
        line = fields_next(&rest, &field);
        require(line == FIELDS_END || rest.len < before);
        if (line == FIELDS_FIELD || line == FIELDS_JUNK)
            require(lies_inside(field.name, text) && lies_inside(field.value, text));
    } while (line != FIELDS_END);
}

static void check_decoders(struct dsnd_str text)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(1 << 24);
    struct dsnd_str decoded;

    require(xtext_decode(&arena, text, &decoded) == DSND_OK && decoded.len <= text.len);
    if (dsnd_str_chr(text, '+') == SIZE_MAX)
        require(dsnd_str_eq(decoded, text));
    require(xtext_decode_utf8(&arena, text, &decoded) == DSND_OK && decoded.len <= text.len);
    if (dsnd_str_chr(text, '\\') == SIZE_MAX)
        require(dsnd_str_eq(decoded, text));
    require(address_from_field(&arena, text, false, &decoded) == DSND_OK);
    require(address_from_field(&arena, text, true, &decoded) == DSND_OK);
    require(fields_unfold(&arena, text, &decoded) == DSND_OK);
    require(dsnd_str_chr(decoded, '\n') == SIZE_MAX);
    dsnd_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dsnd_str text = dsnd_str_make((const char *)data, size);
    struct report_status status = {0};
    struct status_reply reply = status_reply_find(text);
    int64_t date;

    (void)address_is_mail(text);
    (void)!date_read(text, &date);
    require(lies_inside(address_bare(text), text));
    check_prose(text);
    check_fields(text);
    check_decoders(text);
    require(reply.code == 0 || (reply.code >= 400 && reply.code < 600));
    if (status_code_read(text, &status))
        require(status.klass == 2 || status.klass == 4 || status.klass == 5);
    return 0;
}
