#include "lookup/answer.h"

#include <stdio.h>

enum { TEXT_SIZE = 256 };

static const char away[] = "suppressions cannot be looked up now";

/*
 * 5.7.1 as a site's own policy has it (RFC 3463): the mail was not refused by the recipient's side.
 */
static const char *const heads[] = {
    [LOOKUP_MAP_ACCESS] = "REJECT 5.7.1 suppressed: ",
    [LOOKUP_MAP_TRANSPORT] = "error:5.7.1 suppressed: ",
    [LOOKUP_MAP_SUPPRESSED] = "",
};

static enum dsnd_err write_socketmap(const struct lookup_answer *answer, const char *text,
                                     struct dsnd_buf *out)
{
    static const char *const words[] = {
        [LOOKUP_CLEAR] = "NOTFOUND ",
        [LOOKUP_SUPPRESSED] = "OK ",
        [LOOKUP_AWAY] = "TEMP ",
        [LOOKUP_REFUSED] = "PERM ",
    };
    struct dsnd_str word = dsnd_str_of(words[answer->verdict]);
    struct dsnd_str rest = dsnd_str_of(text);

    return dsnd_buf_addf(out, "%zu:%.*s%.*s,", word.len + rest.len, DSND_STR_ARG(word),
                         DSND_STR_ARG(rest));
}

/* Blanks, controls and % become %XX (tcp_table(5)); more need not. */
static enum dsnd_err add_coded(const char *text, struct dsnd_buf *out)
{
    enum dsnd_err err = DSND_OK;

    for (const char *c = text; *c && !err; c++) {
        bool plain = (unsigned char)*c > ' ' && *c != '%' && *c != 127;

        err = plain ? dsnd_buf_add_char(out, *c) : dsnd_buf_addf(out, "%%%02X", (unsigned char)*c);
    }
    return err;
}

static enum dsnd_err write_tcp_table(const struct lookup_answer *answer, const char *text,
                                     struct dsnd_buf *out)
{
    /* 500 says "not found": the mail would pass. */
    static const char *const codes[] = {
        [LOOKUP_CLEAR] = "500 ",
        [LOOKUP_SUPPRESSED] = "200 ",
        [LOOKUP_AWAY] = "400 ",
        [LOOKUP_REFUSED] = "400 ",
    };
    enum dsnd_err err = dsnd_buf_add(out, dsnd_str_of(codes[answer->verdict]));

    if (!err)
        err = add_coded(*text ? text : "not suppressed", out);
    return err ? err : dsnd_buf_add_char(out, '\n');
}

/* As Exim's ${extract{KEY}{...}} reads it. */
static enum dsnd_err write_readsocket(const struct lookup_answer *answer, const char *text,
                                      struct dsnd_buf *out)
{
    switch (answer->verdict) {
    case LOOKUP_CLEAR:
        return dsnd_buf_add(out, DSND_STR("suppressed=no\n"));
    case LOOKUP_SUPPRESSED:
        return dsnd_buf_addf(out, "suppressed=yes class=%s since=%s\n", answer->cause,
                             answer->since);
    case LOOKUP_AWAY:
    case LOOKUP_REFUSED:
        break;
    }
    return dsnd_buf_addf(out, "suppressed=unknown reason=\"%s\"\n", text);
}

enum dsnd_err lookup_answer_write(enum lookup_protocol protocol, enum lookup_map map,
                                  const struct lookup_answer *answer, struct dsnd_buf *out)
{
    char text[TEXT_SIZE] = "";

    if (answer->verdict == LOOKUP_SUPPRESSED)
        (void)snprintf(text, sizeof(text), "%s%s since %s", heads[map], answer->cause,
                       answer->since);
    else if (answer->verdict != LOOKUP_CLEAR)
        (void)snprintf(text, sizeof(text), "%s",
                       answer->verdict == LOOKUP_AWAY ? away : answer->why);
    if (protocol == LOOKUP_SOCKETMAP)
        return write_socketmap(answer, text, out);
    return protocol == LOOKUP_TCP_TABLE ? write_tcp_table(answer, text, out)
                                        : write_readsocket(answer, text, out);
}
