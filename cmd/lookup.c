/*
 * dsnd lookup: answers mail servers that ask, recipient by recipient, whether an address is
 * suppressed: Postfix by socketmap or tcp_table, Exim by readsocket. Every question goes to the
 * database; nothing is kept, so a suppression holds from the moment it is stored.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/database.h"
#include "api/names.h"
#include "api/rows_out.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cmd/child.h"
#include "cmd/commands.h"
#include "cmd/reload.h"
#include "cmd/settings.h"
#include "ingest/smtp_listen.h"
#include "lookup/answer.h"
#include "lookup/server.h"
#include "store/query_suppression.h"

static void read_answer(const struct store_rows *rows, size_t row, struct lookup_answer *answer)
{
    char text[STORE_TEXT_SIZE];
    struct dsnd_str suppressed = store_rows_text(rows, row, STORE_CHECK_SUPPRESSED, text);
    const char *cause = names_class((int)store_rows_int(rows, row, STORE_CHECK_CLASS));

    *answer = (struct lookup_answer){.verdict = LOOKUP_CLEAR};
    if (!dsnd_str_eq(suppressed, DSND_STR("true")))
        return;
    answer->verdict = LOOKUP_SUPPRESSED;
    (void)snprintf(answer->cause, sizeof(answer->cause), "%s", cause ? cause : "manual");
    (void)snprintf(answer->since, sizeof(answer->since), "%.*s",
                   DSND_STR_ARG(store_rows_text(rows, row, STORE_CHECK_SINCE, text)));
}

/* Any thread. */
static enum dsnd_err check(void *cls, const struct dsnd_str *addresses, size_t count,
                           struct lookup_answer *ret_answers)
{
    struct database *database = cls;
    struct store_conn *conn = NULL;
    struct store_rows *rows = NULL;
    enum dsnd_err err = database_take(database, &conn);

    if (err)
        return err;
    err = store_suppression_check(conn, addresses, count, &rows);
    if (!err && store_rows_count(rows) != count)
        err = DSND_ERR_UNAVAILABLE;
    for (size_t i = 0; i < count && !err; i++)
        read_answer(rows, i, &ret_answers[i]);
    if (err)
        log_event(LOG_LEVEL_WARN, "lookup.database", "error=\"%s\" detail=\"%s\"",
                  dsnd_err_text(err), LOG_QUOTED(store_conn_error(conn)));
    store_rows_free(rows);
    database_give(database, conn);
    return err;
}

static enum dsnd_err listen_on(struct lookup_server *server, const char *text,
                               enum lookup_protocol protocol, const char *key)
{
    struct smtp_addresses addresses = {.count = 0};
    char error[256] = "";
    enum dsnd_err err = smtp_listen_parse(text, SMTP_KIND_PLAIN, error, sizeof(error), &addresses);

    if (err)
        log_event(LOG_LEVEL_CRIT, "lookup.listen", "key=%s error=\"%s\"", key, LOG_QUOTED(error));
    for (size_t i = 0; i < addresses.count && !err; i++) {
        int fd = -1;

        err = smtp_listen_open(&addresses.at[i], &fd);
        if (err)
            log_event(LOG_LEVEL_CRIT, "lookup.listen", "key=%s error=\"%s\"", key, strerror(errno));
        else
            err = lookup_server_listen(server, fd, protocol);
        if (!err)
            log_event(LOG_LEVEL_INFO, "lookup.listen", "key=%s port=%u", key,
                      smtp_listen_port(&addresses.at[i]));
    }
    return err;
}

static enum dsnd_err listen_on_all(struct lookup_server *server, const struct settings *settings)
{
    enum dsnd_err err = listen_on(server, settings->lookup.socketmap_listen, LOOKUP_SOCKETMAP,
                                  "lookup.socketmap_listen");

    if (!err)
        err = listen_on(server, settings->lookup.tcp_table_listen, LOOKUP_TCP_TABLE,
                        "lookup.tcp_table_listen");
    if (!err)
        err = listen_on(server, settings->lookup.readsocket_listen, LOOKUP_READSOCKET,
                        "lookup.readsocket_listen");
    return err;
}

static struct lookup_settings server_settings(const struct settings *settings)
{
    return (struct lookup_settings){
        .backend = {.check = check},
        .threads = (unsigned)settings->lookup.threads,
        .max_connections = settings->lookup.max_connections,
        .idle_ms = (unsigned)settings->lookup.idle_timeout,
        .timeout_ms = (unsigned)settings->lookup.timeout,
        .accept_when_away = settings->lookup.when_away == SETTINGS_AWAY_ACCEPT,
        .tcp_table_map = (enum lookup_map)settings->lookup.tcp_table_map,
    };
}

static void reload(struct lookup_server *server)
{
    static struct settings fresh;
    struct config_error error = {""};

    if (settings_reload(&fresh, &error) == DSND_OK) {
        struct lookup_settings how = server_settings(&fresh);

        lookup_server_reload(server, &how);
        log_event(LOG_LEVEL_INFO, "lookup.reloaded", "when_away=%s",
                  how.accept_when_away ? "accept" : "defer");
        reload_done(&fresh, "lookup");
        return;
    }
    reload_failed("lookup.reload_failed", &error);
}

static enum dsnd_err run(const struct settings *settings)
{
    struct lookup_settings how = server_settings(settings);
    enum child_event event;
    struct database *database = NULL;
    struct lookup_server *server = NULL;
    enum dsnd_err err = database_new(settings->database.url, "dsnd lookup", how.threads, 0,
                                     how.timeout_ms, &database);

    how.backend.cls = database;
    if (!err)
        err = lookup_server_new(&how, &server);
    if (!err)
        err = listen_on_all(server, settings);
    if (!err)
        err = lookup_server_start(server);
    if (!err) {
        child_ready();
        while ((event = child_wait(-1)) != CHILD_EVENT_STOP)
            if (event == CHILD_EVENT_RELOAD)
                reload(server);
    }
    lookup_server_free(server);
    database_free(database);
    return err;
}

int cmd_lookup(int argc, char **argv)
{
    static struct settings settings;
    enum dsnd_err err;
    int status = settings_from_arguments(
        argc, argv,
        "usage: dsnd lookup [-c FILE]\n\n"
        "Answers mail servers that ask whether an address is suppressed: Postfix by socketmap or\n"
        "tcp_table, Exim by readsocket, where lookup.socketmap_listen, lookup.tcp_table_listen "
        "and\n"
        "lookup.readsocket_listen say.\n",
        &settings);

    if (status >= 0)
        return status;
    err = child_begin("lookup", METRICS_SLOT_LOOKUP);
    if (!err)
        err = child_give_up_root(settings.process.user, false);
    if (!err)
        err = run(&settings);
    if (err)
        log_event(LOG_LEVEL_CRIT, "lookup.failed", "error=\"%s\"", dsnd_err_text(err));
    return child_exit_status(err);
}
