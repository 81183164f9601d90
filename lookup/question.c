#include "lookup/question.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/hex.h"

const char *const lookup_map_names[] = {
    [LOOKUP_MAP_ACCESS] = "access",
    [LOOKUP_MAP_TRANSPORT] = "transport",
    [LOOKUP_MAP_SUPPRESSED] = "suppressed",
    NULL,
};

enum { LENGTH_DIGITS_MAX = 4 };

static enum lookup_read set_key(struct lookup_question *question, struct dsnd_str key)
{
    assert(key.len <= sizeof(question->key));
    if (key.len)
        memcpy(question->key, key.ptr, key.len);
    question->key_len = key.len;
    return LOOKUP_READ_QUESTION;
}

static enum lookup_read say(enum lookup_read what, const char **ret_why, const char *why)
{
    *ret_why = why;
    return what;
}

/* ---- socketmap ---- */

static bool find_map(struct dsnd_str name, enum lookup_map *ret_map)
{
    for (int i = 0; lookup_map_names[i]; i++) {
        if (dsnd_str_eq(name, dsnd_str_of(lookup_map_names[i]))) {
            *ret_map = (enum lookup_map)i;
            return true;
        }
    }
    return false;
}

/* The length is decimal without leading zeros. */
static enum lookup_read read_length(struct dsnd_str in, size_t *ret_head, uint64_t *ret_len,
                                    const char **ret_why)
{
    struct dsnd_str head = dsnd_str_slice(in, 0, LENGTH_DIGITS_MAX + 1);
    size_t colon = dsnd_str_chr(head, ':');
    struct dsnd_str digits = dsnd_str_slice(head, 0, colon);
    size_t count = 0;

    while (count < digits.len && dsnd_is_digit(digits.ptr[count]))
        count++;
    if (count < digits.len || (digits.len > 1 && digits.ptr[0] == '0'))
        return say(LOOKUP_READ_BAD, ret_why, "not a netstring");
    if (colon == SIZE_MAX && head.len <= LENGTH_DIGITS_MAX)
        return LOOKUP_READ_MORE;
    if (colon == SIZE_MAX || (digits.len && dsnd_str_to_u64(digits, LOOKUP_QUESTION_MAX, ret_len)))
        return say(LOOKUP_READ_BAD, ret_why, "request longer than 1024 octets");
    if (!digits.len)
        return say(LOOKUP_READ_BAD, ret_why, "not a netstring");
    *ret_head = colon + 1;
    return LOOKUP_READ_QUESTION;
}

static enum lookup_read read_socketmap(struct dsnd_str *in, struct lookup_question *question,
                                       const char **ret_why)
{
    struct dsnd_str text = DSND_STR_ABSENT;
    struct dsnd_str name;
    uint64_t len = 0;
    size_t head = 0;
    enum lookup_read got = read_length(*in, &head, &len, ret_why);

    if (got != LOOKUP_READ_QUESTION)
        return got;
    if (in->len < head + len + 1)
        return LOOKUP_READ_MORE;
    if (in->ptr[head + len] != ',')
        return say(LOOKUP_READ_BAD, ret_why, "not a netstring");
    text = dsnd_str_slice(*in, head, head + len);
    *in = dsnd_str_slice(*in, head + len + 1, in->len);
    name = dsnd_str_cut(&text, ' ');
    if (!dsnd_str_present(text))
        return say(LOOKUP_READ_REFUSED, ret_why, "request is not: name, space, key");
    if (!find_map(name, &question->map))
        return say(LOOKUP_READ_REFUSED, ret_why, "no such map: access, transport or suppressed");
    return set_key(question, text);
}

/* ---- lines ---- */

/* LF ends a line; a CR before it is none of it. */
static enum lookup_read read_line(struct dsnd_str *in, bool ended, struct dsnd_str *ret_line,
                                  const char **ret_why)
{
    size_t end = dsnd_str_chr(*in, '\n');
    size_t len = end == SIZE_MAX ? in->len : end;

    if (len > LOOKUP_QUESTION_MAX)
        return say(LOOKUP_READ_BAD, ret_why, "request longer than 1024 octets");
    if (end == SIZE_MAX && !(ended && in->len))
        return LOOKUP_READ_MORE;
    *ret_line = dsnd_str_slice(*in, 0, len);
    *in = dsnd_str_slice(*in, end == SIZE_MAX ? len : len + 1, in->len);
    if (ret_line->len && ret_line->ptr[ret_line->len - 1] == '\r')
        ret_line->len--;
    return LOOKUP_READ_QUESTION;
}

/* %XX stands for an octet. */
static bool decode(struct dsnd_str text, struct lookup_question *question)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        bool coded = text.ptr[i] == '%';
        int high = coded && i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text.ptr[i + 2]) : -1;

        if (coded && low < 0)
            return false;
        question->key[len++] = coded ? (char)(high * 16 + low) : text.ptr[i];
        i += coded ? 2 : 0;
    }
    question->key_len = len;
    return true;
}

static enum lookup_read read_tcp_table(struct dsnd_str *in, struct lookup_question *question,
                                       const char **ret_why)
{
    static const struct dsnd_str get = DSND_STR_INIT("get ");
    struct dsnd_str line = DSND_STR_ABSENT;
    enum lookup_read got = read_line(in, false, &line, ret_why);

    if (got != LOOKUP_READ_QUESTION)
        return got;
    if (dsnd_str_starts(line, DSND_STR("put ")))
        return say(LOOKUP_READ_REFUSED, ret_why, "this table cannot be written");
    if (!dsnd_str_starts(line, get))
        return say(LOOKUP_READ_BAD, ret_why, "request is not: get, space, key");
    if (!decode(dsnd_str_slice(line, get.len, line.len), question))
        return say(LOOKUP_READ_BAD, ret_why, "a % is not followed by two hexadecimal digits");
    return LOOKUP_READ_QUESTION;
}

static enum lookup_read read_readsocket(struct dsnd_str *in, bool ended,
                                        struct lookup_question *question, const char **ret_why)
{
    struct dsnd_str line = DSND_STR_ABSENT;
    enum lookup_read got = read_line(in, ended, &line, ret_why);

    return got == LOOKUP_READ_QUESTION ? set_key(question, dsnd_str_trim(line)) : got;
}

/*
 * More than an address, such as <a@b.example>: nobody would be found by it, and the mail would
 * pass. Servers give local parts without their quotes, so those may hold anything.
 */
static bool is_wrapped(const struct lookup_question *question)
{
    struct dsnd_str key = dsnd_str_make(question->key, question->key_len);
    size_t at = dsnd_str_rchr(key, '@');

    for (size_t i = at; i < key.len; i++)
        if (dsnd_str_chr(DSND_STR("<>(),;\" "), key.ptr[i]) != SIZE_MAX)
            return true;
    return false;
}

static enum lookup_read read_key(enum lookup_protocol protocol, bool ended, struct dsnd_str *in,
                                 struct lookup_question *ret_question, const char **ret_why)
{
    switch (protocol) {
    case LOOKUP_SOCKETMAP:
        return read_socketmap(in, ret_question, ret_why);
    case LOOKUP_TCP_TABLE:
        return read_tcp_table(in, ret_question, ret_why);
    case LOOKUP_READSOCKET:
        return read_readsocket(in, ended, ret_question, ret_why);
    }
    return say(LOOKUP_READ_BAD, ret_why, "no such protocol");
}

enum lookup_read lookup_question_read(enum lookup_protocol protocol, bool ended,
                                      struct dsnd_str *in, struct lookup_question *ret_question,
                                      const char **ret_why)
{
    enum lookup_read got = read_key(protocol, ended, in, ret_question, ret_why);

    if (got == LOOKUP_READ_QUESTION && is_wrapped(ret_question))
        return say(LOOKUP_READ_REFUSED, ret_why, "key is not an address alone");
    return got;
}

bool lookup_question_is_address(const struct lookup_question *question)
{
    struct dsnd_str key = dsnd_str_make(question->key, question->key_len);
    size_t at = dsnd_str_rchr(key, '@');

    if (at == SIZE_MAX || at == 0 || at + 1 == key.len)
        return false;
    for (size_t i = 0; i < key.len; i++)
        if ((unsigned char)key.ptr[i] < ' ' || key.ptr[i] == 127)
            return false;
    return true;
}
