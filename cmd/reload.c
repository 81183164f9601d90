#include "cmd/reload.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/metrics.h"

enum { NAMES_MAX = 1500 };

/* What this process began with. */
static struct settings began;

/* Keys that a process takes at its start only; NULL: every process. */
static const struct fixed {
    const char *process;
    const char *section;
    const char *key;
    bool only_from_none; /* a change of what was there is followed */
} fixed[] = {
    {NULL, "process", "user", false},
    {"receive", "smtp", "listen", false},
    {"receive", "smtp", "tls_listen", false},
    {"receive", "smtp", "lmtp_listen", false},
    {"receive", "smtp", "threads", false},
    {"receive", "submit", "listen", false},
    {"receive", "journal", "dir", false},
    {"receive", "journal", "segment", false},
    {"receive", "journal", "min_free", false},
    {"pipeline", "journal", "dir", false},
    {"pipeline", "pipeline", "batch", false},
    {"pipeline", "pipeline", "memory", false},
    {"pipeline", "database", "url", false},
    {"pipeline", "retain", "raw", false},
    {"pipeline", "retain", "status", false},
    {"pipeline", "delay", "horizon", false},
    {"api", "smtp", "domains", false},
    {"api", "database", "url", false},
    {"api", "http", "listen", false},
    {"api", "http", "tls_cert", true},
    {"api", "http", "tls_key", true},
    {"api", "http", "threads", false},
    {"api", "http", "max_connections", false},
    {"api", "http", "max_per_client", false},
    {"api", "http", "request_timeout", false},
    {"api", "http", "idle_timeout", false},
    {"api", "http", "max_body", false},
    {"api", "http", "rate", false},
    {"api", "http", "burst", false},
    {"api", "metrics", "listen", false},
    {"relay", "database", "url", false},
    {"webhooks", "database", "url", false},
    {"lookup", "database", "url", false},
    {"lookup", "lookup", "socketmap_listen", false},
    {"lookup", "lookup", "tcp_table_listen", false},
    {"lookup", "lookup", "readsocket_listen", false},
    {"lookup", "lookup", "threads", false},
    {"lookup", "lookup", "timeout", false},
};

static const struct config_option *option_of(const struct fixed *row)
{
    const struct config_option *found = NULL;

    for (size_t i = 0; i < settings_option_count && !found; i++)
        if (strcmp(settings_options[i].section, row->section) == 0 &&
            strcmp(settings_options[i].key, row->key) == 0)
            found = &settings_options[i];
    assert(found);
    return found;
}

static bool differs(const struct fixed *row, const struct settings *fresh)
{
    const struct config_option *option = option_of(row);
    const char *before = (const char *)&began;
    const char *after = (const char *)fresh;

    before += option->offset;
    after += option->offset;
    switch (option->type) {
    case CONFIG_STRING:
        return strcmp(before, after) != 0 && !(row->only_from_none && before[0]);
    case CONFIG_BOOL:
        return memcmp(before, after, sizeof(bool)) != 0;
    case CONFIG_CHOICE:
        return memcmp(before, after, sizeof(int)) != 0;
    case CONFIG_COUNT:
    case CONFIG_OCTETS:
    case CONFIG_DURATION:
        break;
    }
    return memcmp(before, after, sizeof(uint64_t)) != 0;
}

void reload_begin(const struct settings *settings)
{
    began = *settings;
}

void reload_done(const struct settings *fresh, const char *process)
{
    struct dsnd_buf names = DSND_BUF_INIT(NAMES_MAX);
    enum dsnd_err err = DSND_OK;

    log_set_level((enum log_level)fresh->log.level);
    for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed) && !err; i++)
        if ((!fixed[i].process || strcmp(fixed[i].process, process) == 0) &&
            differs(&fixed[i], fresh))
            err = dsnd_buf_addf(&names, "%s%s.%s", names.len ? "," : "", fixed[i].section,
                                fixed[i].key);
    if (names.len)
        log_event(LOG_LEVEL_WARN, "settings.restart_needed", "keys=%.*s",
                  DSND_STR_ARG(dsnd_buf_str(&names)));
    dsnd_buf_done(&names);
}

void reload_failed(const char *event, const struct config_error *error)
{
    metrics_add(METRIC_RELOAD_FAILED, 1);
    log_event(LOG_LEVEL_ERR, event, "error=\"%s\" kept=old", LOG_QUOTED(error->text));
}
