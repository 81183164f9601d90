#include "parse/prose_reply.h"

#include <stdint.h>
#include <string.h>

#include "parse/status_code.h"

enum { MARK_OCTETS = 40, REPLY_OCTETS = 160, LABEL_OCTETS = 40 };

/* Who speaks, in transcripts. */
static const struct dsnd_str marks[] = {
    DSND_STR_INIT("<<<"), DSND_STR_INIT(">>>"),  DSND_STR_INIT("<--"), DSND_STR_INIT("-->"),
    DSND_STR_INIT("In:"), DSND_STR_INIT("Out:"), DSND_STR_INIT("=["),
};

/* "Sent <<< RCPT" has a word before its mark. */
struct dsnd_str prose_reply_content(struct dsnd_str line, bool *ret_marked)
{
    line = dsnd_str_trim(line);
    *ret_marked = false;
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
        size_t at = dsnd_str_find(dsnd_str_slice(line, 0, MARK_OCTETS), marks[i]);

        if (at == SIZE_MAX || (at && marks[i].ptr[marks[i].len - 1] == ':'))
            continue;
        *ret_marked = true;
        return dsnd_str_trim(dsnd_str_slice(line, at + marks[i].len, line.len));
    }
    return line;
}

static bool is_code(struct dsnd_str text)
{
    return text.len > 4 && (text.ptr[0] == '4' || text.ptr[0] == '5') && text.ptr[1] >= '0' &&
           text.ptr[1] <= '5' && dsnd_is_digit(text.ptr[2]) && text.ptr[3] &&
           strchr(" -:\t", text.ptr[3]) &&
           status_reply_find(dsnd_str_slice(text, 0, REPLY_OCTETS)).code != 0;
}

/* "<a@b.example>: 550 ..." without the address. */
static struct dsnd_str behind_address(struct dsnd_str line)
{
    size_t colon = dsnd_str_find(dsnd_str_slice(line, 0, REPLY_OCTETS), DSND_STR(": "));

    if (colon == SIZE_MAX || dsnd_str_chr(dsnd_str_slice(line, 0, colon), '@') == SIZE_MAX)
        return line;
    return dsnd_str_trim(dsnd_str_slice(line, colon + 2, line.len));
}

/* "Reported error: 550 5.1.10 ..." without its label: with both codes it is nothing else. */
static struct dsnd_str behind_label(struct dsnd_str line)
{
    size_t colon = dsnd_str_chr(dsnd_str_slice(line, 0, LABEL_OCTETS), ':');
    struct dsnd_str text = colon == SIZE_MAX
                               ? DSND_STR_ABSENT
                               : dsnd_str_trim(dsnd_str_slice(line, colon + 1, line.len));

    return is_code(text) &&
                   status_reply_find(dsnd_str_slice(text, 0, LABEL_OCTETS)).status.klass != 0
               ? text
               : line;
}

struct dsnd_str prose_reply_of(struct dsnd_str line)
{
    bool is_marked;

    line = behind_label(behind_address(prose_reply_content(line, &is_marked)));
    while (line.len && line.ptr[0] && strchr(" \t-<>*#[(|\"'", line.ptr[0]))
        line = dsnd_str_slice(line, 1, line.len);
    return is_code(line) ? line : DSND_STR_ABSENT;
}

struct dsnd_str prose_reply_find(struct dsnd_str prose)
{
    while (prose.len) {
        struct dsnd_str rest = prose;
        struct dsnd_str reply = prose_reply_of(dsnd_str_cut(&rest, '\n'));

        if (reply.len)
            return dsnd_str_slice(prose, (size_t)(reply.ptr - prose.ptr), prose.len);
        prose = rest;
    }
    return DSND_STR_ABSENT;
}
