#include "parse/rule_text.h"

#include <string.h>

/* How the squeezed text grows. */
struct writer {
    struct rule_text *text;
    char reply[3];      /* the code of the first line of a reply of several lines */
    bool is_multi_line; /* `reply` is set */
};

static bool is_control_or_space(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7f;
}

static void put(struct rule_text *self, char c)
{
    if (is_control_or_space(c)) {
        if (self->len == 0 || self->plain[self->len - 1] == ' ')
            return;
        c = ' ';
    }
    if (self->len < RULE_TEXT_MAX)
        self->plain[self->len++] = c;
}

/* Octets of an enhanced status code and the space behind it at the front of `s`; 0: none is. */
static size_t status_len(struct dsnd_str s)
{
    size_t at = 1;

    if (s.len < 6 || !strchr("245", s.ptr[0]))
        return 0;
    for (int part = 0; part < 2; part++) {
        size_t digits = 0;

        if (at >= s.len || s.ptr[at++] != '.')
            return 0;
        while (at < s.len && digits < 4 && dsnd_is_digit(s.ptr[at])) {
            at++;
            digits++;
        }
        if (digits < 1 || digits > 3)
            return 0;
    }
    return at < s.len && is_control_or_space(s.ptr[at]) ? at + 1 : 0;
}

/* The front of `s` is "550-" or "550 ". */
static bool is_reply_code(struct dsnd_str s)
{
    return s.len > 4 && strchr("245", s.ptr[0]) && dsnd_is_digit(s.ptr[1]) &&
           dsnd_is_digit(s.ptr[2]) && (s.ptr[3] == '-' || is_control_or_space(s.ptr[3]));
}

/*
 * Octets to skip where a word begins: the code of a further line ("550-5.1.1 ", "550 5.1.1 "). The
 * first line keeps its code, as patterns may ask for it.
 */
static size_t further_line(struct writer *self, struct dsnd_str s)
{
    size_t len = 4;

    if (!is_reply_code(s))
        return 0;
    if (!self->is_multi_line) {
        if (s.ptr[3] == '-') {
            memcpy(self->reply, s.ptr, sizeof(self->reply));
            self->is_multi_line = true;
            for (size_t i = 0; i < sizeof(self->reply); i++)
                put(self->text, s.ptr[i]);
            put(self->text, ' ');
            return len;
        }
        return 0;
    }
    if (memcmp(self->reply, s.ptr, sizeof(self->reply)) != 0)
        return 0;
    return len + status_len(dsnd_str_slice(s, len, s.len));
}

/* UTF-8 for what patterns write in ASCII: the apostrophes of typesetting, the hard space. */
static size_t put_plain_form(struct rule_text *self, struct dsnd_str s)
{
    static const struct {
        struct dsnd_str utf8;
        char plain;
    } forms[] = {
        {DSND_STR_INIT("\xe2\x80\x99"), '\''},
        {DSND_STR_INIT("\xe2\x80\x98"), '\''},
        {DSND_STR_INIT("\xc2\xa0"), ' '},
    };

    if ((unsigned char)s.ptr[0] < 0x80)
        return 0;
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
        if (dsnd_str_starts(s, forms[i].utf8)) {
            put(self, forms[i].plain);
            return forms[i].utf8.len;
        }
    return 0;
}

uint16_t rule_window_hash(const char *octets)
{
    uint32_t value;

    memcpy(&value, octets, sizeof(value));
    return (uint16_t)(value * UINT32_C(2654435761) >> 18);
}

static void set_windows(struct rule_text *self)
{
    memset(self->windows, 0, sizeof(self->windows));
    for (size_t i = 0; i + RULE_WINDOW <= self->len; i++) {
        uint16_t hash = rule_window_hash(self->lower + i);

        self->windows[hash / 64] |= UINT64_C(1) << (hash % 64);
    }
}

void rule_text_set(struct rule_text *self, struct dsnd_str text)
{
    struct writer writer = {.text = self};

    self->len = 0;
    for (size_t at = 0; at < text.len && self->len < RULE_TEXT_MAX;) {
        struct dsnd_str rest = dsnd_str_slice(text, at, text.len);
        bool begins_word = self->len == 0 || self->plain[self->len - 1] == ' ';
        size_t used = begins_word ? further_line(&writer, rest) : 0;

        if (!used)
            used = put_plain_form(self, rest);
        if (!used) {
            put(self, rest.ptr[0]);
            used = 1;
        }
        at += used;
    }
    for (size_t i = 0; i < self->len; i++)
        self->lower[i] = dsnd_lower(self->plain[i]);
    set_windows(self);
}
