#include "parse/rule_filter.h"

#include <string.h>

enum {
    LITERAL_MAX = 64,       /* octets of a literal that are used */
    ALTERNATIVES_MAX = 256, /* a pattern with more of them is always tried */
};

/* A walk over one pattern. */
struct walk {
    struct dsnd_str pattern;
    size_t at;
    char run[LITERAL_MAX];
    size_t run_len;
    char best[LITERAL_MAX];
    size_t best_len;
    bool unclear; /* something that this walk does not understand */
};

static void end_run(struct walk *self)
{
    if (self->run_len > self->best_len) {
        memcpy(self->best, self->run, self->run_len);
        self->best_len = self->run_len;
    }
    self->run_len = 0;
}

static void add_literal(struct walk *self, char c)
{
    if (self->run_len == LITERAL_MAX)
        end_run(self);
    self->run[self->run_len++] = dsnd_lower(c);
}

static char peek(const struct walk *self, size_t ahead)
{
    return self->at + ahead < self->pattern.len ? self->pattern.ptr[self->at + ahead] : '\0';
}

/* Past a character class; `at` is behind its '['. */
static void skip_class(struct walk *self)
{
    if (peek(self, 0) == '^')
        self->at++;
    if (peek(self, 0) == ']')
        self->at++;
    while (self->at < self->pattern.len && peek(self, 0) != ']') {
        if (peek(self, 0) == '[' && (peek(self, 1) == ':' || peek(self, 1) == '.'))
            self->unclear = true;
        self->at += peek(self, 0) == '\\' ? 2 : 1;
    }
    self->at++;
}

/* Past a group; `at` is behind its '('. Options set inside, names and comments are unclear. */
static void skip_group(struct walk *self)
{
    size_t depth = 1;

    while (self->at < self->pattern.len && depth > 0) {
        char c = self->pattern.ptr[self->at++];

        if (c == '(')
            depth++;
        else if (c == ')')
            depth--;
        else if (c == '[')
            skip_class(self);
        else if (c == '\\')
            self->at++;
        else if (c == '?' && self->pattern.ptr[self->at - 2] == '(' &&
                 !strchr(":=!<>", peek(self, 0)))
            self->unclear = true;
    }
}

static void take_escape(struct walk *self)
{
    char c = peek(self, 0);

    self->at++;
    if (dsnd_is_alpha(c) || dsnd_is_digit(c)) {
        if (!strchr("dDwWsSbB", c))
            self->unclear = true;
        end_run(self);
    } else {
        add_literal(self, c);
    }
}

/* A quantifier that allows none: the octet before it may be missing. */
static void drop_last(struct walk *self)
{
    if (self->run_len > 0)
        self->run_len--;
    end_run(self);
}

static void take(struct walk *self)
{
    char c = self->pattern.ptr[self->at++];

    switch (c) {
    case '\\':
        take_escape(self);
        break;
    case '[':
        skip_class(self);
        end_run(self);
        break;
    case '(':
        skip_group(self);
        end_run(self);
        break;
    case '?':
    case '*':
        drop_last(self);
        break;
    case '{':
        drop_last(self);
        while (self->at < self->pattern.len && self->pattern.ptr[self->at++] != '}')
            continue;
        break;
    case '.':
    case '^':
    case '$':
    case '+':
        end_run(self);
        break;
    default:
        add_literal(self, c);
        break;
    }
}

/* Windows of the literal: its first, its middle and its last. */
static bool take_best(struct walk *self, struct rule_literal *ret_literal)
{
    size_t last;

    end_run(self);
    if (self->best_len < RULE_WINDOW)
        return false;
    last = self->best_len - RULE_WINDOW;
    ret_literal->window[0] = rule_window_hash(self->best);
    ret_literal->window[1] = rule_window_hash(self->best + last / 2);
    ret_literal->window[2] = rule_window_hash(self->best + last);
    self->best_len = 0;
    return true;
}

enum dsnd_err rule_filter_build(struct dsnd_str pattern, struct dsnd_arena *arena,
                                struct rule_filter *ret_filter)
{
    struct rule_literal found[ALTERNATIVES_MAX];
    struct walk walk = {.pattern = pattern};
    size_t count = 0;
    bool usable = true;

    while (usable && walk.at <= pattern.len) {
        if (walk.at < pattern.len && peek(&walk, 0) != '|') {
            take(&walk);
            continue;
        }
        usable = count < ALTERNATIVES_MAX && take_best(&walk, &found[count]);
        count++;
        walk.at++;
    }
    ret_filter->literals = NULL;
    ret_filter->count = 0;
    if (!usable || walk.unclear)
        return DSND_OK;
    ret_filter->literals = dsnd_arena_array(arena, count, sizeof(*found));
    if (!ret_filter->literals)
        return DSND_ERR_NOMEM;
    memcpy(ret_filter->literals, found, count * sizeof(*found));
    ret_filter->count = count;
    return DSND_OK;
}

bool rule_filter_passes(const struct rule_filter *self, const struct rule_text *text)
{
    for (size_t i = 0; i < self->count; i++) {
        const uint16_t *window = self->literals[i].window;

        if (rule_text_has_window(text, window[0]) && rule_text_has_window(text, window[1]) &&
            rule_text_has_window(text, window[2]))
            return true;
    }
    return self->count == 0;
}
