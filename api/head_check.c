#include "api/head_check.h"

#include <microhttpd.h>
#include <string.h>

enum { HEADERS_MAX = 100 };

struct head {
    size_t count;
    size_t hosts;
    size_t lengths;
    size_t encodings;
    const char *end; /* of the last value seen, where its NUL is */
    const char *reason;
    int status;
    bool raw_layout; /* values can be compared with their places in the receive buffer */
    struct head_framing *framing;
};

static enum MHD_Result refuse(struct head *head, int status, const char *reason)
{
    head->status = status;
    head->reason = reason;
    return MHD_NO;
}

static bool is_token(struct dsnd_str s)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (!dsnd_is_alpha(c) && !dsnd_is_digit(c) && !memchr(others, c, sizeof(others) - 1))
            return false;
    }
    return s.len > 0;
}

static bool is_value(struct dsnd_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* Names, IP literals and ports; nothing else is a host (RFC 3986 section 3.2.2). */
static bool is_host(struct dsnd_str s)
{
    static const char others[] = "-._~!$&'()*+,;=:[]%";

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (!dsnd_is_alpha(c) && !dsnd_is_digit(c) && !memchr(others, c, sizeof(others) - 1))
            return false;
    }
    return s.len <= 300;
}

/*
 * libmicrohttpd 0.9.75 cuts the head into C strings where it lies in its receive buffer, one NUL
 * for each octet of a line's end. So between a value and the next name there are exactly two NULs
 * where the line ended with CR LF. One is a bare CR or LF; more, or other octets, are a NUL inside
 * the value; a value that lies elsewhere was folded over two lines. Later versions refuse all of
 * this themselves. The test db/api_head proves it for the version in use.
 */
static bool lies_as_sent(struct head *head, const char *name, struct dsnd_str value)
{
    const char *end = head->end;

    head->end = value.ptr + value.len;
    if (!head->raw_layout)
        return true;
    if (end && (uintptr_t)name - (uintptr_t)end != 2)
        return false;
    return (uintptr_t)value.ptr - (uintptr_t)name < UINT16_MAX && head->end[1] == '\0';
}

/*
 * A line with an empty name ends the head for 0.9.75, and what follows would be read as a request
 * of its own. Then the head is longer than up to the last field and two line ends.
 */
static bool ends_as_sent(const struct head *head, struct MHD_Connection *connection,
                         const char *method)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return !head->raw_layout || !head->end || !info ||
           info->header_size == (uintptr_t)head->end - (uintptr_t)method + 4;
}

static enum MHD_Result on_length(struct head *head, struct dsnd_str value)
{
    if (++head->lengths > 1)
        return refuse(head, 400, "Content-Length is given more than once");
    if (dsnd_str_to_u64(value, INT64_MAX, &head->framing->octets))
        return refuse(head, 400, "Content-Length must be a whole number");
    head->framing->has_length = true;
    return MHD_YES;
}

static enum MHD_Result on_encoding(struct head *head, struct dsnd_str value)
{
    if (++head->encodings > 1)
        return refuse(head, 400, "Transfer-Encoding is given more than once");
    if (!dsnd_str_ieq(value, DSND_STR("chunked")))
        return refuse(head, 501, "no Transfer-Encoding but chunked is understood");
    head->framing->chunked = true;
    return MHD_YES;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                 const char *text)
{
    struct head *head = cls;
    struct dsnd_str key = dsnd_str_of(name);
    struct dsnd_str value = dsnd_str_of(text ? text : "");

    (void)kind;
    if (++head->count > HEADERS_MAX)
        return refuse(head, 400, "there are too many header fields");
    if (!is_token(key) || !is_value(value))
        return refuse(head, 400, "a header field is malformed");
    if (!text || !lies_as_sent(head, name, value))
        return refuse(head, 400, "a header field has a NUL, a bare CR or LF, or a folded line");
    if (dsnd_str_ieq(key, DSND_STR("Host"))) {
        if (++head->hosts > 1 || !is_host(value))
            return refuse(head, 400, "Host must be given once and name a host");
    }
    if (dsnd_str_ieq(key, DSND_STR("Content-Length")))
        return on_length(head, value);
    if (dsnd_str_ieq(key, DSND_STR("Transfer-Encoding")))
        return on_encoding(head, value);
    return MHD_YES;
}

static const char *check_line(const struct head_line *line, bool raw_layout)
{
    const char *target = line->target;
    const char *version = line->version;

    /* 0.9.75 takes any number of spaces for one; RFC 9112 section 3 has exactly one. */
    if (raw_layout && (uintptr_t)line->url - (uintptr_t)line->method != strlen(line->method) + 1)
        return "the request line is malformed";
    for (const char *c = target; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
            return "the request target is malformed";
    if (target[0] != '/' && strcmp(target, "*") != 0)
        return "the request target must begin with /";
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return "the protocol version is not known";
    return NULL;
}

int head_check(struct MHD_Connection *connection, const struct head_line *line,
               struct head_framing *ret_framing, const char **ret_reason)
{
    struct head head = {.framing = ret_framing,
                        .raw_layout = strcmp(MHD_get_version(), "0.9.75") == 0};

    memset(ret_framing, 0, sizeof(*ret_framing));
    head.reason = check_line(line, head.raw_layout);
    if (head.reason) {
        *ret_reason = head.reason;
        return 400;
    }
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, &head);
    if (!head.status && head.lengths > 0 && head.encodings > 0)
        (void)refuse(&head, 400, "both Content-Length and Transfer-Encoding are given");
    if (!head.status && head.hosts == 0 && strcmp(line->version, "HTTP/1.1") == 0)
        (void)refuse(&head, 400, "Host is missing");
    if (!head.status && !ends_as_sent(&head, connection, line->method))
        (void)refuse(&head, 400, "a header field has no name");
    *ret_reason = head.reason;
    return head.status;
}
