/*
 * dsnd doctor: everything a service needs from its surroundings, each asked for once, with what to
 * do where it is missing. A table of examinations; each adds findings.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cmd/commands.h"
#include "cmd/doctor.h"
#include "cmd/material.h"
#include "cmd/settings.h"
#include "ingest/tls.h"
#include "store/query_service.h"
#include "store/store.h"

enum {
    CERT_WARN_DAYS = 14,
    PROBLEMS_OCTETS = 64 * 1024,
    MIB = 1024 * 1024,
};

void doctor_find(struct doctor *self, enum doctor_grade grade, const char *subject,
                 const char *format, ...)
{
    static const char *const words[] = {"good", "warn", "BAD "};
    va_list args;

    self->counts[grade]++;
    (void)printf("%s  %-10s ", words[grade], subject);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    (void)printf("\n");
    (void)fflush(stdout); /* what follows may wait for the network */
}

static void examine_settings(struct doctor *self)
{
    struct config_error error;

    if (material_check(self->settings, &error))
        doctor_find(self, DOCTOR_BAD, "settings", "%s; nothing starts", error.text);
    else
        doctor_find(self, DOCTOR_GOOD, "settings", "every key is known and every value allowed");
}

static void examine_keys(struct doctor *self)
{
    struct return_path_keys keys = {0};
    struct config_error error;

    if (material_keys(self->settings, &keys, &error))
        doctor_find(self, DOCTOR_BAD, "keys", "%s", error.text);
    else if (keys.count == 0)
        doctor_find(
            self, DOCTOR_WARN, "keys",
            "sign.keys_file is not set: no report can prove whom it is about; name a file with a "
            "line \"a HEX\" of 32 random octets");
    else
        doctor_find(self, DOCTOR_GOOD, "keys", "%zu, the newest is \"%c\"", keys.count,
                    keys.key[0].id);
    explicit_bzero(&keys, sizeof(keys));
}

static void examine_rules(struct doctor *self)
{
    struct dsnd_buf problems = DSND_BUF_INIT(PROBLEMS_OCTETS);
    struct rule_set *rules = NULL;
    struct config_error error;
    size_t count = 0;

    if (material_rules(self->settings, &rules, &error))
        doctor_find(self, DOCTOR_BAD, "rules", "%s", error.text);
    else if (rule_set_check(rules, &problems, &count) || count)
        doctor_find(self, DOCTOR_WARN, "rules", "%zu fail their own test: see dsnd rules check",
                    count);
    else
        doctor_find(self, DOCTOR_GOOD, "rules", "%zu", rule_set_count(rules));
    rule_set_free(rules);
    dsnd_buf_done(&problems);
}

static void examine_cert(struct doctor *self, const char *subject, const char *cert,
                         const char *key)
{
    struct tls_context *context = NULL;
    char error[512] = "";
    int64_t days;

    if (tls_context_new(cert, key, error, sizeof(error), &context)) {
        doctor_find(self, DOCTOR_BAD, subject, "%s", error);
        return;
    }
    days = (tls_context_not_after(context) - dsnd_clock_now_us() / DSND_US_PER_S) / 86400;
    doctor_find(self,
                days < 0                ? DOCTOR_BAD
                : days < CERT_WARN_DAYS ? DOCTOR_WARN
                                        : DOCTOR_GOOD,
                subject, "%s expires in %lld days", cert, (long long)days);
    tls_context_free(context);
}

static void examine_tls(struct doctor *self)
{
    const struct settings *settings = self->settings;

    if (settings->smtp.tls_cert[0]) /* which may hold its key */
        examine_cert(self, "smtp tls", settings->smtp.tls_cert,
                     settings->smtp.tls_key[0] ? settings->smtp.tls_key : settings->smtp.tls_cert);
    else
        doctor_find(
            self, DOCTOR_WARN, "smtp tls",
            "smtp.tls_cert is not set: STARTTLS is not offered and reports come in the clear");
    if (settings->http.tls_cert[0])
        examine_cert(self, "http tls", settings->http.tls_cert, settings->http.tls_key);
}

static void examine_journal(struct doctor *self)
{
    const char *dir = self->settings->journal.dir;
    unsigned long long needed = self->settings->journal.min_free / MIB;
    unsigned long long available;
    struct statvfs disk;

    if (statvfs(dir, &disk) != 0) {
        doctor_find(self, DOCTOR_BAD, "journal",
                    "%s: %s; make it, owned by the user of the service", dir, strerror(errno));
        return;
    }
    available = (unsigned long long)disk.f_bavail * disk.f_frsize / MIB;
    if (access(dir, R_OK | W_OK | X_OK) != 0)
        doctor_find(self, DOCTOR_BAD, "journal", "%s: %s for this user", dir, strerror(errno));
    else if (available < needed)
        doctor_find(self, DOCTOR_BAD, "journal",
                    "%s has %llu MiB free, journal.min_free is %llu MiB: mail is refused with 452",
                    dir, available, needed);
    else
        doctor_find(self, DOCTOR_GOOD, "journal", "%s has %llu MiB free", dir, available);
}

static void examine_store(struct doctor *self, struct store_conn *conn)
{
    struct store_service service = {0};

    if (store_service_get(conn, &service)) {
        doctor_find(self, DOCTOR_BAD, "database", "%s", store_conn_error(conn));
        return;
    }
    if (service.days_ahead < 1)
        doctor_find(
            self, DOCTOR_WARN, "database",
            "partitions end %lld days from now: the pipeline makes them ahead, is it running?",
            (long long)service.days_ahead);
    if (service.incidents_open)
        doctor_find(self, DOCTOR_WARN, "incidents",
                    "%lld are open, providers refuse your mail: GET /v1/incidents?state=open",
                    (long long)service.incidents_open);
    if (service.quarantined_waiting)
        doctor_find(self, DOCTOR_WARN, "quarantine",
                    "%lld messages were set aside: GET /v1/quarantine",
                    (long long)service.quarantined_waiting);
}

static void examine_database(struct doctor *self)
{
    struct store_conn *conn = NULL;
    enum dsnd_err err = DSND_ERR_NOT_FOUND;

    if (!self->settings->database.url[0])
        doctor_find(self, DOCTOR_BAD, "database", "database.url is not set");
    else
        err = store_connect(self->settings->database.url, "dsnd doctor", &conn);
    if (err && conn)
        doctor_find(self, DOCTOR_BAD, "database", "%s", store_conn_error(conn));
    else if (!err)
        doctor_find(self, DOCTOR_GOOD, "database", "answers, schema version %d",
                    store_schema_version);
    if (!err)
        examine_store(self, conn);
    store_conn_free(conn);
}

static void examine_clock(struct doctor *self)
{
    struct timex state = {0};
    int status = adjtimex(&state);

    if (status == TIME_ERROR || status < 0 || (state.status & STA_UNSYNC))
        doctor_find(
            self, DOCTOR_WARN, "clock",
            "the kernel does not call it synchronized: run chrony or systemd-timesyncd, since "
            "return paths carry a date");
    else
        doctor_find(self, DOCTOR_GOOD, "clock", "synchronized, estimated error %ld us",
                    state.esterror);
}

static void (*const examinations[])(struct doctor *) = {
    examine_keys,  examine_rules,          examine_tls, examine_journal, examine_database,
    examine_clock, doctor_examine_domains,
};

int cmd_doctor(int argc, char **argv)
{
    static struct settings settings;
    struct doctor doctor = {.settings = &settings};
    int status = settings_from_arguments(
        argc, argv,
        "usage: dsnd doctor [-c FILE]\n\n"
        "Looks at configuration, keys, rules, TLS, disk, database, clock and DNS as the service\n"
        "would find them, and says what to mend. Changes nothing. Run it as the service's user.\n"
        "Ends with 1 where something is bad, 0 where there are warnings only.\n",
        &settings);

    if (status >= 0)
        return status;
    examine_settings(&doctor);
    for (size_t i = 0; i < sizeof(examinations) / sizeof(*examinations); i++)
        examinations[i](&doctor);
    (void)printf("%u good, %u warnings, %u bad\n", doctor.counts[DOCTOR_GOOD],
                 doctor.counts[DOCTOR_WARN], doctor.counts[DOCTOR_BAD]);
    return doctor.counts[DOCTOR_BAD] ? EXIT_FAILED : EXIT_DONE;
}
