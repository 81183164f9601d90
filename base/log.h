/*
 * One log line an event: "level event=smtp.reject session=0000a3 peer=192.0.2.7 reason=no_mail".
 * Lines go to standard error (systemd adds the time; on a terminal or file we add it ourselves).
 * Writing never blocks: a line that the descriptor does not take is dropped and counted.
 * Only programs and server loops log; libraries return errors. Any thread.
 */
#ifndef DSND_BASE_LOG_H
#define DSND_BASE_LOG_H

#include "base/err.h"
#include "base/str.h"

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERR,
    LOG_LEVEL_CRIT,
};

/* Octets of one line; what is longer is cut and marked with "...". */
enum { LOG_LINE_MAX = 2048 };

void log_set_level(enum log_level level); /* lines below it are not written; info at start */
bool log_level_from(struct dsnd_str name, enum log_level *ret_level); /* debug|info|warn|err|crit */
/* A short constant that names this process in each line, for example "receive". Kept, not copied.
 */
void log_set_process(const char *name);

/*
 * `format` gives key=value pairs. Foreign octets must pass through log_escape or LOG_QUOTED first.
 * Example: log_event(LOG_LEVEL_INFO, "smtp.accept", "session=%06x peer=%s", id, peer);
 */
DSND_PRINTF(3, 4)
void log_event(enum log_level level, const char *event, const char *format, ...);

/*
 * `s` made fit for a value: C0, C1, DEL, space, quote, backslash and invalid UTF-8 become \xNN; cut
 * at `size` - 1 octets. Returns `dst`, always NUL-terminated; size >= 1.
 */
char *log_escape(struct dsnd_str s, char *dst, size_t size);

/* The same for what stands in quotes, so that people can read it: a space stays one. */
char *log_quote(struct dsnd_str s, char *dst, size_t size);

/* A text as a value in quotes: log_event(..., "error=\"%s\"", LOG_QUOTED(error.text)). */
enum { LOG_QUOTED_SIZE = 1024 };
#define LOG_QUOTED(text) log_quote(dsnd_str_of(text), (char[LOG_QUOTED_SIZE]){""}, LOG_QUOTED_SIZE)

/* Lines dropped since the start because the descriptor was blocked or full. */
uint64_t log_dropped(void);

#endif
