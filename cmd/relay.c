/*
 * dsnd relay: hands receipts for delivered mail (NOTIFY=SUCCESS of submitted mail) to the relay,
 * one after the other. A row of the queue goes only after the relay has said 250 or 5xx; so none is
 * lost, and one is sent twice only where that 250 could not be heard or written down.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cmd/child.h"
#include "cmd/commands.h"
#include "cmd/material.h"
#include "cmd/reload.h"
#include "cmd/settings.h"
#include "relay/send.h"
#include "store/query_receipt.h"

enum {
    IDLE_MS = 500,
    AWAY_MS = 2000,
    COUNT_MS = 10000,
    NOTE_MS = 60000,
    STEP_MS = 50,
    STOP_GRACE_MS = 3000, /* for the answer to a receipt that is on its way */
    RETRY_FIRST_MS = 5000,
    RETRY_DOUBLINGS = 9, /* up to 43 minutes */
};

struct relay_process {
    struct settings *settings;
    char hostname[CONFIG_STRING_SIZE];
    char login[MATERIAL_LOGIN_SIZE];
    struct relay *relay;
    struct store_conn *conn;
    bool leads; /* this connection is the sender's */
    int64_t counted_ms;
    int64_t noted_ms; /* when the database was last said to be away */
    /* What the main thread tells the one that sends: */
    atomic_bool reread;    /* the settings, before the next receipt */
    atomic_bool ending;    /* take no further receipt */
    atomic_bool cut_short; /* end even the one on its way */
};

static void pause_ms(struct relay_process *self, int ms)
{
    const struct timespec step = {0, STEP_MS * 1000000L};

    for (int slept = 0; slept < ms && !atomic_load(&self->ending); slept += STEP_MS)
        (void)nanosleep(&step, NULL);
}

static void close_connection(struct relay_process *self)
{
    store_conn_free(self->conn);
    self->conn = NULL;
    self->leads = false;
}

/* Say once a minute why nothing is sent. */
static void note_away(struct relay_process *self)
{
    int64_t now_ms = dsnd_clock_monotonic_ms();

    if (self->noted_ms && now_ms - self->noted_ms < NOTE_MS)
        return;
    self->noted_ms = now_ms;
    log_event(LOG_LEVEL_ERR, "relay.database_away", "error=\"%s\"",
              LOG_QUOTED(self->conn ? store_conn_error(self->conn) : ""));
}

/* A connection, and the right to be the one that sends. */
static bool connected(struct relay_process *self)
{
    bool mine = false;

    if (!self->conn && store_connect(self->settings->database.url, "dsnd relay", &self->conn)) {
        note_away(self);
        close_connection(self);
        return false;
    }
    if (!self->leads && store_receipt_lead(self->conn, &mine) == DSND_OK)
        self->leads = mine;
    return self->leads;
}

static int64_t retry_in(int64_t failures)
{
    return (int64_t)RETRY_FIRST_MS << (failures < RETRY_DOUBLINGS ? failures : RETRY_DOUBLINGS);
}

/* What is on the way back to the queue: another attempt, or none. */
static enum dsnd_err settle(struct relay_process *self, const struct store_rows *row,
                            enum relay_result result, const char *reason)
{
    int64_t id = store_rows_int(row, 0, STORE_RECEIPT_ID);
    int64_t age_ms = store_rows_int(row, 0, STORE_RECEIPT_AGE_MS);
    bool too_old = age_ms > (int64_t)self->settings->submit.relay_retry;

    if (result == RELAY_SENT) {
        metrics_add(METRIC_RECEIPTS_SENT, 1);
        log_event(LOG_LEVEL_INFO, "relay.sent", "receipt=%lld age_ms=%lld", (long long)id,
                  (long long)age_ms);
        return store_receipt_remove(self->conn, id);
    }
    metrics_add(METRIC_RECEIPTS_FAILED, 1);
    if (result == RELAY_LATER && !too_old) {
        log_event(LOG_LEVEL_WARN, "relay.later", "receipt=%lld reason=\"%s\"", (long long)id,
                  reason);
        return store_receipt_later(self->conn, id,
                                   retry_in(store_rows_int(row, 0, STORE_RECEIPT_FAILURES)),
                                   dsnd_str_of(reason));
    }
    /* A receipt for a receipt would be the beginning of a loop: the log is where it ends. */
    metrics_add(result == RELAY_REFUSED ? METRIC_RECEIPTS_REFUSED : METRIC_RECEIPTS_GIVEN_UP, 1);
    log_event(LOG_LEVEL_ERR, "relay.gave_up", "receipt=%lld age_ms=%lld reason=\"%s\"",
              (long long)id, (long long)age_ms, reason);
    return store_receipt_remove(self->conn, id);
}

/* One receipt that is due. DSND_ERR_NOT_FOUND: none is. */
static enum dsnd_err send_one(struct relay_process *self)
{
    char reason[RELAY_REASON_SIZE];
    char recipient[1024];
    struct store_rows *row = NULL;
    struct relay_settings settings = {
        .url = self->settings->submit.relay,
        .hostname = self->hostname,
        .login = self->login,
        .tls = self->settings->submit.relay_tls ? RELAY_TLS_MUST : RELAY_TLS_MAY,
    };
    enum relay_result result = RELAY_REFUSED;
    enum dsnd_err err = store_receipt_next(self->conn, &row);

    if (err)
        return err;
    if (dsnd_str_copy(store_rows_value(row, 0, STORE_RECEIPT_RECIPIENT), recipient,
                      sizeof(recipient)))
        (void)snprintf(reason, sizeof(reason), "the address is too long");
    else
        result =
            relay_send(self->relay, &settings, recipient,
                       store_rows_value(row, 0, STORE_RECEIPT_MESSAGE), &self->cut_short, reason);
    err = settle(self, row, result, reason);
    store_rows_free(row);
    return err;
}

static void count_waiting(struct relay_process *self)
{
    int64_t now_ms = dsnd_clock_monotonic_ms();
    int64_t count = 0;

    if (now_ms - self->counted_ms < COUNT_MS || store_receipt_count(self->conn, &count))
        return;
    self->counted_ms = now_ms;
    metrics_set(METRIC_RECEIPTS_WAITING, (uint64_t)count);
}

/* ---- settings ---- */

static enum dsnd_err use(struct relay_process *self, const struct settings *settings,
                         struct config_error *ret_error)
{
    enum dsnd_err err = material_login(settings, self->login, ret_error);

    if (!err)
        err = material_hostname(settings, self->hostname);
    return err;
}

static void reload(struct relay_process *self)
{
    static struct settings fresh;
    struct config_error error = {""};
    enum dsnd_err err = settings_reload(&fresh, &error);

    if (!err)
        err = use(self, &fresh, &error);
    if (!err) {
        *self->settings = fresh;
        log_event(LOG_LEVEL_INFO, "relay.reloaded", "relay=%s", fresh.submit.relay);
        reload_done(&fresh, "relay");
        return;
    }
    reload_failed("relay.reload_failed", &error);
}

/* ---- life ---- */

/* One turn; how long to sleep after it. */
static int turn(struct relay_process *self)
{
    enum dsnd_err err;

    if (!self->settings->submit.relay[0])
        return IDLE_MS;
    if (!connected(self))
        return AWAY_MS;
    count_waiting(self);
    err = send_one(self);
    if (!err)
        return 0;
    if (err == DSND_ERR_NOT_FOUND)
        return IDLE_MS;
    note_away(self);
    close_connection(self);
    return AWAY_MS;
}

static void *work(void *context)
{
    struct relay_process *self = context;

    while (!atomic_load(&self->ending)) {
        if (atomic_exchange(&self->reread, false))
            reload(self);
        pause_ms(self, turn(self));
    }
    close_connection(self);
    return NULL;
}

static void end(struct relay_process *self, pthread_t worker)
{
    struct timespec until;

    atomic_store(&self->ending, true);
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STOP_GRACE_MS / 1000;
    if (pthread_clockjoin_np(worker, NULL, CLOCK_MONOTONIC, &until) == 0)
        return;
    self->cut_short = true;
    (void)pthread_join(worker, NULL);
}

static enum dsnd_err run(struct relay_process *self)
{
    enum child_event event;
    pthread_t worker;

    self->relay = relay_new();
    if (!self->relay)
        return DSND_ERR_NOMEM;
    errno = pthread_create(&worker, NULL, work, self);
    if (errno)
        return DSND_ERR_IO;
    log_event(LOG_LEVEL_INFO, "relay.start", "relay=%s", self->settings->submit.relay);
    child_ready();
    while ((event = child_wait(-1)) != CHILD_EVENT_STOP)
        if (event == CHILD_EVENT_RELOAD)
            atomic_store(&self->reread, true);
    end(self, worker);
    return DSND_OK;
}

int cmd_relay(int argc, char **argv)
{
    static struct settings settings;
    static struct relay_process self = {.settings = &settings};
    struct config_error error = {""};
    enum dsnd_err err;
    int status = settings_from_arguments(
        argc, argv,
        "usage: dsnd relay [-c FILE]\n\n"
        "Sends receipts for mail of the submission listener whose sender asked for them by\n"
        "NOTIFY=SUCCESS, through submit.relay. SIGHUP reloads the settings; SIGTERM ends after\n"
        "the receipt that is on its way.\n",
        &settings);

    if (status >= 0)
        return status;
    err = child_begin("relay", METRICS_SLOT_RELAY);
    if (!err)
        err = child_give_up_root(settings.process.user, false);
    if (!err)
        err = use(&self, &settings, &error);
    if (!err)
        err = relay_global_init();
    if (!err)
        err = run(&self);
    relay_free(self.relay);
    explicit_bzero(self.login, sizeof(self.login));
    if (err)
        log_event(LOG_LEVEL_CRIT, "relay.failed", "error=\"%s\" detail=\"%s\"", dsnd_err_text(err),
                  LOG_QUOTED(error.text));
    return child_exit_status(err);
}
