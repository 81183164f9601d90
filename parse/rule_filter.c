#include "parse/rule_filter.h"

#include <string.h>

enum {
    LITERAL_MAX = 48,  /* octets of a literal that are used */
    LITERALS_MAX = 64, /* of one pattern; more of them and it is always tried */
    DEPTH_MAX = 16,    /* of groups */
    SCORE_LEN = 8,     /* a longer literal is not rarer for what matters here */
};

/* Literals of which one must occur; none: nothing is known to be necessary. */
struct need {
    struct rule_literal literals[LITERALS_MAX];
    size_t count;
    size_t shortest; /* octets */
};

/* A walk over one pattern. */
struct walk {
    struct dsnd_str pattern;
    size_t at;
    bool unclear; /* something that this walk does not understand */
};

/* A sequence under way: the run of plain characters at its end, and the best need so far. */
struct sequence {
    char run[LITERAL_MAX];
    size_t run_len;
    struct need best;
};

static void read_alternatives(struct walk *self, unsigned depth, struct need *ret_need);

static char peek(const struct walk *self, size_t ahead)
{
    return self->at + ahead < self->pattern.len ? self->pattern.ptr[self->at + ahead] : '\0';
}

/* Long literals are rare in texts, and few are quickly looked up. */
static int score(const struct need *need)
{
    size_t len = need->shortest < SCORE_LEN ? need->shortest : SCORE_LEN;

    return need->count ? (int)(len * 4) - (int)need->count : -1000;
}

static void offer(struct sequence *sequence, const struct need *need)
{
    if (need->count && score(need) > score(&sequence->best))
        sequence->best = *need;
}

/* Windows of the run: its first, its middle and its last. */
static void end_run(struct sequence *sequence)
{
    struct need need = {.count = 1, .shortest = sequence->run_len};
    size_t last;

    if (sequence->run_len >= RULE_WINDOW) {
        last = sequence->run_len - RULE_WINDOW;
        need.literals[0].window[0] = rule_window_hash(sequence->run);
        need.literals[0].window[1] = rule_window_hash(sequence->run + last / 2);
        need.literals[0].window[2] = rule_window_hash(sequence->run + last);
        offer(sequence, &need);
    }
    sequence->run_len = 0;
}

static void add_literal(struct sequence *sequence, char c)
{
    if (sequence->run_len == LITERAL_MAX)
        end_run(sequence);
    sequence->run[sequence->run_len++] = dsnd_lower(c);
}

/* A quantifier that allows none: the octet before it may be missing. */
static void drop_last(struct sequence *sequence)
{
    if (sequence->run_len > 0)
        sequence->run_len--;
    end_run(sequence);
}

/* Past a character class; `at` is behind its '['. */
static void skip_class(struct walk *self)
{
    if (peek(self, 0) == '^')
        self->at++;
    if (peek(self, 0) == ']')
        self->at++;
    while (self->at < self->pattern.len && peek(self, 0) != ']') {
        if (peek(self, 0) == '[')
            self->unclear = true;
        self->at += peek(self, 0) == '\\' ? 2 : 1;
    }
    self->at++;
}

/* What a quantifier at `at` makes of a group: false where the group may be missing. */
static bool skip_quantifier(struct walk *self)
{
    char c = peek(self, 0);

    if (c != '?' && c != '*' && c != '{' && c != '+')
        return true;
    if (c == '{')
        while (self->at < self->pattern.len && peek(self, 0) != '}')
            self->at++;
    self->at++;
    if (peek(self, 0) == '?' || peek(self, 0) == '+')
        self->at++;
    return c == '+';
}

/* "(?:", "(?>", "(": true where the group must match; assertions say nothing of their own. */
static bool read_group_kind(struct walk *self)
{
    if (peek(self, 0) != '?')
        return true;
    self->at++;
    switch (peek(self, 0)) {
    case ':':
    case '>':
        self->at++;
        return true;
    case '=':
    case '!':
        self->at++;
        return false;
    case '<':
        self->at++;
        if (peek(self, 0) != '=' && peek(self, 0) != '!')
            self->unclear = true; /* a named group */
        self->at++;
        return false;
    default:
        self->unclear = true; /* options, comments, conditions, recursion */
        return false;
    }
}

static void take_group(struct walk *self, struct sequence *sequence, unsigned depth)
{
    bool counts = read_group_kind(self);
    struct need need;

    if (depth == DEPTH_MAX || self->unclear) {
        self->unclear = true;
        return;
    }
    end_run(sequence);
    read_alternatives(self, depth + 1, &need);
    self->at++; /* the closing parenthesis */
    if (skip_quantifier(self) && counts)
        offer(sequence, &need);
}

static void take_escape(struct walk *self, struct sequence *sequence)
{
    char c = peek(self, 0);

    self->at++;
    if (dsnd_is_alpha(c) || dsnd_is_digit(c)) {
        if (!strchr("dDwWsSbB", c))
            self->unclear = true;
        end_run(sequence);
    } else {
        add_literal(sequence, c);
    }
}

static void take_one(struct walk *self, struct sequence *sequence, unsigned depth)
{
    char c = self->pattern.ptr[self->at++];

    switch (c) {
    case '\\':
        take_escape(self, sequence);
        break;
    case '[':
        skip_class(self);
        end_run(sequence);
        break;
    case '(':
        take_group(self, sequence, depth);
        break;
    case '?':
    case '*':
        drop_last(sequence);
        break;
    case '{':
        drop_last(sequence);
        while (self->at < self->pattern.len && self->pattern.ptr[self->at++] != '}')
            continue;
        break;
    case '.':
    case '^':
    case '$':
    case '+':
        end_run(sequence);
        break;
    default:
        add_literal(sequence, c);
        break;
    }
}

static void read_sequence(struct walk *self, unsigned depth, struct need *ret_need)
{
    struct sequence sequence = {.run_len = 0};

    while (self->at < self->pattern.len && !self->unclear && peek(self, 0) != '|' &&
           !(depth > 0 && peek(self, 0) == ')'))
        take_one(self, &sequence, depth);
    end_run(&sequence);
    *ret_need = sequence.best;
}

/* One of the alternatives has to match, so what each needs must be listed. */
static void read_alternatives(struct walk *self, unsigned depth, struct need *ret_need)
{
    struct need all = {.count = 0, .shortest = LITERAL_MAX};
    bool complete = true;
    struct need one;

    for (;;) {
        read_sequence(self, depth, &one);
        complete = complete && one.count > 0 && all.count + one.count <= LITERALS_MAX;
        if (complete) {
            memcpy(&all.literals[all.count], one.literals, one.count * sizeof(*one.literals));
            all.count += one.count;
            all.shortest = one.shortest < all.shortest ? one.shortest : all.shortest;
        }
        if (self->unclear || peek(self, 0) != '|')
            break;
        self->at++;
    }
    if (!complete)
        all.count = 0;
    *ret_need = all;
}

enum dsnd_err rule_filter_build(struct dsnd_str pattern, struct dsnd_arena *arena,
                                struct rule_filter *ret_filter)
{
    struct walk walk = {.pattern = pattern};
    struct need need;

    read_alternatives(&walk, 0, &need);
    ret_filter->literals = NULL;
    ret_filter->count = 0;
    if (walk.unclear || need.count == 0)
        return DSND_OK;
    ret_filter->literals = dsnd_arena_array(arena, need.count, sizeof(*need.literals));
    if (!ret_filter->literals)
        return DSND_ERR_NOMEM;
    memcpy(ret_filter->literals, need.literals, need.count * sizeof(*need.literals));
    ret_filter->count = need.count;
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
