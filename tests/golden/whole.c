/*
 * usage: whole FOLDER: does the parser say the same of each message below FOLDER when GMime is
 * given all of it as when it is given only what somebody reads? Ends with 77 where there is no
 * such folder.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "parse/parse.h"
#include "parse/rules.h"

enum { ARENA_OCTETS = 1 << 28, TEXT_OCTETS = 1 << 24, FOLDERS_OPEN = 16 };

static struct rule_set *rules;
static struct parser *of_shown, *of_all;
static size_t messages, different;

static void put(struct dsnd_buf *text, const char *name, struct dsnd_str value)
{
    (void)!dsnd_buf_add(text, dsnd_str_of(name));
    (void)!dsnd_buf_add(text, value);
    (void)!dsnd_buf_add_char(text, '\n');
}

static void put_number(struct dsnd_buf *text, const char *name, unsigned long value)
{
    char number[24];

    (void)snprintf(number, sizeof(number), "%lu", value);
    put(text, name, dsnd_str_of(number));
}

static void put_recipient(struct dsnd_buf *text, const struct report_recipient *one)
{
    char status[REPORT_STATUS_SIZE];

    put(text, "recipient ", one->recipient);
    put(text, "final ", one->final_recipient);
    put(text, "original ", one->original_recipient);
    put_number(text, "action ", one->action);
    report_status_format(one->status, status);
    put(text, "status ", dsnd_str_of(status));
    put_number(text, "code ", one->smtp_code);
    report_status_format(one->smtp_status, status);
    put(text, "smtp status ", dsnd_str_of(status));
    put(text, "remote ", one->remote_mta);
    put(text, "diagnostic ", one->diagnostic);
    put(text, "until ", one->will_retry_until);
    put_number(text, "class ", one->klass);
    put_number(text, "cause ", one->cause);
    put_number(text, "permanence ", one->permanence);
    put(text, "rule ", one->rule);
    put(text, "matched ", one->matched);
}

static void put_report(struct dsnd_buf *text, const struct report *report)
{
    put_number(text, "kind ", report->kind);
    put_number(text, "feedback ", report->feedback);
    put_number(text, "warnings ", report->warnings);
    put(text, "mta ", report->reporting_mta);
    put(text, "arrival ", report->arrival_date);
    put(text, "envelope ", report->envelope_id);
    put(text, "id ", report->message_id);
    put(text, "subject ", report->subject);
    put(text, "from ", report->from);
    put(text, "returned id ", report->returned.message_id);
    put(text, "returned to ", report->returned.to);
    put(text, "returned path ", report->returned.return_path);
    for (size_t i = 0; i < report->returned.hint_count; i++)
        put(text, "hint ", report->returned.hints[i].value);
    for (size_t i = 0; i < report->recipient_count; i++)
        put_recipient(text, &report->recipients[i]);
}

static struct dsnd_buf describe(struct parser *parser, struct dsnd_str message)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(ARENA_OCTETS);
    struct dsnd_buf text = DSND_BUF_INIT(TEXT_OCTETS);
    struct report report;
    enum dsnd_err err = parser_run(parser, message, &arena, &report);

    if (err)
        put_number(&text, "error ", err);
    else
        put_report(&text, &report);
    dsnd_arena_done(&arena);
    return text;
}

static void compare(const char *path, struct dsnd_str message)
{
    struct dsnd_buf shown = describe(of_shown, message);
    struct dsnd_buf all = describe(of_all, message);

    messages++;
    if (!dsnd_str_eq(dsnd_buf_str(&shown), dsnd_buf_str(&all))) {
        different++;
        (void)printf("%s\n-- of what is read:\n%.*s-- of all:\n%.*s", path,
                     DSND_STR_ARG(dsnd_buf_str(&shown)), DSND_STR_ARG(dsnd_buf_str(&all)));
    }
    dsnd_buf_done(&shown);
    dsnd_buf_done(&all);
}

static int take_file(const char *path, const struct stat *status, int type, struct FTW *where)
{
    size_t size = (size_t)status->st_size;
    FILE *file = type == FTW_F ? fopen(path, "rb") : NULL;
    char *octets = file ? malloc(size + 1) : NULL;

    (void)where;
    if (octets && fread(octets, 1, size, file) == size)
        compare(path, dsnd_str_make(octets, size));
    free(octets);
    if (file)
        (void)fclose(file);
    return 0;
}

static int make_parsers(void)
{
    const struct dsnd_str hints = DSND_STR("X-Campaign-ID, Feedback-ID, List-Id");

    if (rule_set_builtin(&rules) || parser_new(&parse_limits_default, rules, hints, &of_shown) ||
        parser_new(&parse_limits_default, rules, hints, &of_all))
        return -1;
    parser_show_all(of_all);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2 || make_parsers())
        return EXIT_FAILURE;
    if (nftw(argv[1], take_file, FOLDERS_OPEN, FTW_PHYS)) {
        (void)printf("SKIPPED: no messages at %s\n", argv[1]);
        return 77;
    }
    (void)printf("%zu messages, %zu differ\n", messages, different);
    parser_free(of_shown);
    parser_free(of_all);
    rule_set_free(rules);
    return messages && !different ? EXIT_SUCCESS : EXIT_FAILURE;
}
