/*
 * Reads arbitrary octets as questions of each protocol, one after the other. Properties: only what
 * was read is cut off, and always something; the same octets cut at any place give the same; a key
 * fits; every answer is one message of its protocol.
 */
#include <stdlib.h>
#include <string.h>

#include "lookup/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static void check_answer(enum lookup_protocol protocol, const struct lookup_question *question,
                         const char *why)
{
    struct lookup_answer answer = {.verdict = why ? LOOKUP_REFUSED : LOOKUP_AWAY, .why = why};
    struct dsnd_buf out = DSND_BUF_INIT(1024);
    struct dsnd_str text;

    require(lookup_answer_write(protocol, question->map, &answer, &out) == DSND_OK);
    text = dsnd_buf_str(&out);
    if (protocol == LOOKUP_SOCKETMAP)
        require(text.ptr[text.len - 1] == ',' &&
                strtoul(text.ptr, NULL, 10) == text.len - dsnd_str_chr(text, ':') - 2);
    else
        require(dsnd_str_chr(text, '\n') == text.len - 1);
    dsnd_buf_done(&out);
}

/* Fewer octets never give another question. */
static void check_cut(enum lookup_protocol protocol, struct dsnd_str in, size_t whole, size_t cut)
{
    struct dsnd_str part = dsnd_str_slice(in, 0, cut % (whole + 1));
    struct lookup_question question = {.map = LOOKUP_MAP_ACCESS};
    const char *why = NULL;
    size_t len = part.len;
    enum lookup_read got = lookup_question_read(protocol, false, &part, &question, &why);

    if (len < whole)
        require(got == LOOKUP_READ_MORE && part.len == len);
}

static void read_all(enum lookup_protocol protocol, struct dsnd_str in, size_t cut)
{
    enum lookup_read got = LOOKUP_READ_QUESTION;

    while (got == LOOKUP_READ_QUESTION || got == LOOKUP_READ_REFUSED) {
        struct lookup_question question = {.map = LOOKUP_MAP_ACCESS};
        const char *why = NULL;
        struct dsnd_str rest = in;

        got = lookup_question_read(protocol, true, &rest, &question, &why);
        require(rest.len <= in.len && question.key_len <= LOOKUP_QUESTION_MAX);
        if (got == LOOKUP_READ_MORE || got == LOOKUP_READ_BAD)
            break;
        require(rest.len < in.len);
        (void)lookup_question_is_address(&question);
        check_answer(protocol, &question, why);
        check_cut(protocol, in, in.len - rest.len, cut);
        in = rest;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dsnd_str text = dsnd_str_make((const char *)data, size);
    size_t cut = size ? data[size - 1] : 0;

    for (int protocol = LOOKUP_SOCKETMAP; protocol <= LOOKUP_READSOCKET; protocol++)
        read_all((enum lookup_protocol)protocol, text, cut);
    return 0;
}
