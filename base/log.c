#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

static _Atomic int threshold = LOG_LEVEL_INFO;
static _Atomic uint64_t dropped;
static const char *_Atomic process_name = "dsnd";

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug", [LOG_LEVEL_INFO] = "info", [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_ERR] = "err",     [LOG_LEVEL_CRIT] = "crit",
};

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

bool log_level_from(struct dsnd_str name, enum log_level *ret_level)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++)
        if (dsnd_str_ieq(name, dsnd_str_of(level_names[i]))) {
            *ret_level = (enum log_level)i;
            return true;
        }
    return false;
}

void log_set_process(const char *name)
{
    atomic_store(&process_name, name);
}

uint64_t log_dropped(void)
{
    return atomic_load_explicit(&dropped, memory_order_relaxed);
}

/* One write, only when the descriptor takes it now: a full pipe or terminal must not stop mail. */
static void write_line(const char *line, size_t len)
{
    struct pollfd pfd = {.fd = STDERR_FILENO, .events = POLLOUT};

    if (poll(&pfd, 1, 0) != 1 || !(pfd.revents & POLLOUT) ||
        write(STDERR_FILENO, line, len) != (ssize_t)len)
        atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    char line[LOG_LINE_MAX];
    char now[DSND_RFC3339_SIZE];
    size_t room = sizeof(line) - 5; /* "...\n" and NUL */
    size_t len;
    va_list args;
    int n;

    if ((int)level < atomic_load_explicit(&threshold, memory_order_relaxed))
        return;
    dsnd_clock_format(dsnd_clock_now_us(), now);
    n = snprintf(line, room, "%s %s event=%s proc=%s pid=%d ", now, level_names[level], event,
                 atomic_load(&process_name), (int)getpid());
    len = n < 0 ? 0 : (size_t)n;
    va_start(args, format);
    n = vsnprintf(line + len, room - len, format, args);
    va_end(args);
    len += n < 0 ? 0 : (size_t)n;
    if (len >= room) {
        len = room - 1;
        for (int i = 0; i < 3; i++)
            line[len++] = '.';
    }
    line[len++] = '\n';
    write_line(line, len);
}

static bool plain(uint32_t c)
{
    return c >= 0x20 && c != 0x7f && c != '"' && c != '\\' && !(c >= 0x80 && c < 0xa0);
}

static char *escape(struct dsnd_str s, bool spaces, char *dst, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    size_t out = 0;

    while (s.len) {
        uint32_t c = 0;
        size_t len = utf8_next(s, &c);

        if (len && plain(c) && (c != ' ' || spaces)) {
            if (out + len >= size)
                break;
            memcpy(dst + out, s.ptr, len);
            out += len;
        } else {
            if (out + 4 >= size)
                break;
            len = 1;
            dst[out++] = '\\';
            dst[out++] = 'x';
            dst[out++] = hex[(unsigned char)s.ptr[0] >> 4];
            dst[out++] = hex[(unsigned char)s.ptr[0] & 15];
        }
        s = dsnd_str_slice(s, len, s.len);
    }
    dst[out] = '\0';
    return dst;
}

char *log_escape(struct dsnd_str s, char *dst, size_t size)
{
    return escape(s, false, dst, size);
}

char *log_quote(struct dsnd_str s, char *dst, size_t size)
{
    return escape(s, true, dst, size);
}
