/*
 * The receiver alone with a journal, for tests: smtp_torture and the like drive it.
 *
 *     receive_main DIR LISTEN [key=value ...]
 *
 * Keys: domains hostname max_size max_connections max_per_client max_recipients idle_ms drain_ms
 * memory threads tls_listen lmtp_listen proxy_from tls_cert tls_key level, and signed=TEXT: only
 * recipients that begin with TEXT are taken. Prints the ports, a line each, then serves until
 * SIGTERM; SIGHUP reloads.
 */
#include <signal.h>
#include <stddef.h>

#include "base/log.h"
#include "ingest/smtp_server.h"

static const struct {
    const char *key;
    size_t offset;
    bool is_text;
} keys[] = {
#define TEXT(key, member)                                        \
    {                                                            \
        key, offsetof(struct smtp_server_settings, member), true \
    }
#define NUMBER(key, member)                                       \
    {                                                             \
        key, offsetof(struct smtp_server_settings, member), false \
    }
    TEXT("domains", domains),
    TEXT("hostname", hostname),
    TEXT("tls_listen", tls_listen),
    TEXT("lmtp_listen", lmtp_listen),
    TEXT("proxy_from", proxy_from),
    TEXT("tls_cert", tls_cert),
    TEXT("tls_key", tls_key),
    NUMBER("max_size", max_size),
    NUMBER("max_connections", max_connections),
    NUMBER("max_per_client", max_per_client),
    NUMBER("max_recipients", max_recipients),
    NUMBER("idle_ms", idle_timeout_ms),
    NUMBER("drain_ms", drain_timeout_ms),
    NUMBER("memory", max_memory),
};

/* Stands for the signature of a return path. */
static enum smtp_verdict begins_with(void *context, struct dsnd_str address)
{
    return dsnd_str_istarts(address, dsnd_str_of(context)) ? SMTP_VERDICT_OK
                                                           : SMTP_VERDICT_UNSIGNED;
}

static bool set(struct smtp_server_settings *settings, char *argument)
{
    struct dsnd_str value = dsnd_str_of(argument);
    struct dsnd_str key = dsnd_str_cut(&value, '=');
    enum log_level level;
    uint64_t number;

    if (dsnd_str_eq(key, DSND_STR("level")) && log_level_from(value, &level)) {
        log_set_level(level);
        return true;
    }
    if (dsnd_str_eq(key, DSND_STR("threads")) && !dsnd_str_to_u64(value, 64, &number)) {
        settings->threads = (unsigned)number;
        return true;
    }
    if (dsnd_str_eq(key, DSND_STR("signed"))) {
        settings->require_signed = true;
        settings->verify = begins_with;
        settings->verify_context = argument + sizeof("signed");
        return true;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        char *member = (char *)settings + keys[i].offset;

        if (!dsnd_str_present(value) || !dsnd_str_eq(key, dsnd_str_of(keys[i].key)))
            continue;
        if (keys[i].is_text)
            memcpy(member, &value.ptr, sizeof(value.ptr));
        else if (!dsnd_str_to_u64(value, UINT64_MAX, &number))
            memcpy(member, &number, sizeof(number));
        else
            return false;
        return true;
    }
    return false;
}

static int serve(struct smtp_server_settings *settings, struct journal *journal, sigset_t *signals)
{
    struct smtp_server *server;
    char error[512];
    int signal;

    if (smtp_server_start(settings, journal, error, sizeof(error), &server)) {
        (void)fprintf(stderr, "receive_main: %s\n", error);
        return 1;
    }
    for (size_t i = 0; smtp_server_port(server, i); i++)
        (void)printf("%u\n", smtp_server_port(server, i));
    (void)fflush(stdout);
    while (sigwait(signals, &signal) == 0 && signal == SIGHUP)
        if (smtp_server_reload(server, settings, error, sizeof(error)))
            log_event(LOG_LEVEL_ERR, "config.reload_failed", "error=\"%s\"", error);
    smtp_server_stop(server);
    return 0;
}

int main(int argc, char **argv)
{
    struct smtp_server_settings settings = {
        .hostname = "mx.bounce.test",
        .domains = "bounce.test",
        .max_size = 1024 * 1024,
        .max_connections = 20000,
        .max_per_client = 50,
        .max_recipients = 1000,
        .idle_timeout_ms = 5000,
        .drain_timeout_ms = 10000,
    };
    struct journal_settings journal_settings = {NULL, 64 * 1024 * 1024, 0};
    struct journal *journal;
    sigset_t signals;
    int status;

    if (argc < 3)
        return 2;
    for (int i = 3; i < argc; i++)
        if (!set(&settings, argv[i])) {
            (void)fprintf(stderr, "receive_main: what is \"%s\"?\n", argv[i]);
            return 2;
        }
    journal_settings.dir = argv[1];
    settings.listen = argv[2];
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (journal_open(&journal_settings, &journal)) {
        (void)fprintf(stderr, "receive_main: cannot open the journal at %s\n", argv[1]);
        return 1;
    }
    status = serve(&settings, journal, &signals);
    journal_close(journal);
    return status;
}
