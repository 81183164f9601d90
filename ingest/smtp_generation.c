#include "ingest/smtp_generation.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    DEFAULT_MEMORY = 256 * 1024 * 1024,
    DEFAULT_RATE = 500,
    SHARES = 8, /* clients that fill the memory */
};

static enum smtp_verdict verify_recipient(void *context, struct dsnd_str address)
{
    struct smtp_generation *self = context;

    return self->verify(self->verify_context, address);
}

static bool disk_has_space(const void *context)
{
    const struct smtp_generation *self = context;

    return journal_has_space(self->journal);
}

static bool empty(const char *text)
{
    return !text || !*text;
}

static enum dsnd_err set_hostname(struct smtp_generation *self, const char *hostname, char *error,
                                  size_t error_size)
{
    if (!empty(hostname)) {
        for (const char *c = hostname; *c; c++) {
            if (*c <= ' ' || *c >= 0x7f) {
                (void)snprintf(error, error_size, "the host name holds an octet that none may");
                return DSND_ERR_SYNTAX;
            }
        }
        if (!dsnd_str_copy(dsnd_str_of(hostname), self->hostname, sizeof(self->hostname)))
            return DSND_OK;
    } else if (gethostname(self->hostname, sizeof(self->hostname) - 1) == 0) {
        return DSND_OK;
    }
    (void)snprintf(error, error_size, "the host name is longer than 255 octets");
    return DSND_ERR_SYNTAX;
}

static enum dsnd_err set_domains(struct smtp_generation *self, const char *domains, char *error,
                                 size_t error_size)
{
    struct dsnd_str rest;

    self->domains_text = strdup(domains ? domains : "");
    if (!self->domains_text)
        return DSND_ERR_NOMEM;
    rest = dsnd_str_of(self->domains_text);
    while (dsnd_str_present(rest)) {
        struct dsnd_str domain = dsnd_str_trim(dsnd_str_cut(&rest, ','));

        if (!domain.len)
            continue;
        if (self->session.domain_count == SMTP_DOMAINS_MAX) {
            (void)snprintf(error, error_size, "more than %d domains", SMTP_DOMAINS_MAX);
            return DSND_ERR_SYNTAX;
        }
        self->domains[self->session.domain_count++] = domain;
    }
    return DSND_OK;
}

static enum dsnd_err set_tls(struct smtp_generation *self, const struct smtp_server_settings *from,
                             char *error, size_t error_size)
{
    if (empty(from->tls_cert)) {
        if (empty(from->tls_listen))
            return DSND_OK;
        (void)snprintf(error, error_size, "to listen with TLS needs a certificate");
        return DSND_ERR_SYNTAX;
    }
    return tls_context_new(from->tls_cert, empty(from->tls_key) ? from->tls_cert : from->tls_key,
                           error, error_size, &self->tls);
}

static enum dsnd_err set_users(struct smtp_generation *self,
                               const struct smtp_server_settings *from, char *error,
                               size_t error_size)
{
    if (empty(from->submit_listen))
        return DSND_OK;
    if (!empty(from->users_file))
        return smtp_users_load(from->users_file, error, error_size, &self->session.users);
    (void)snprintf(error, error_size, "a submission listener needs a file of users");
    return DSND_ERR_SYNTAX;
}

static void set_limits(struct smtp_generation *self, const struct smtp_server_settings *from)
{
    uint64_t memory = from->max_memory ? from->max_memory : DEFAULT_MEMORY;
    uint64_t message = from->max_size * 2; /* with the copy whose bare newlines are mended */
    uint64_t share;

    if (memory < message)
        memory = message;
    if (memory > SIZE_MAX / 2)
        memory = SIZE_MAX / 2;
    share = memory / SHARES;
    if (share < message)
        share = message;
    self->max_memory = (size_t)memory;
    self->max_share = (size_t)share;
    self->max_connections = from->max_connections;
    self->peer_limits = (struct smtp_peer_limits){
        .sessions = from->max_per_client,
        .rates = {[SMTP_PEERS_CONNECTION] = from->connection_rate,
                  [SMTP_PEERS_MESSAGE] = from->message_rate,
                  [SMTP_PEERS_ERROR] = from->error_rate},
        .totals = {[SMTP_PEERS_CONNECTION] = from->total_connection_rate,
                   [SMTP_PEERS_MESSAGE] = from->total_message_rate},
    };
    self->idle_timeout_ms = (int64_t)from->idle_timeout_ms;
    self->drain_timeout_ms = (int64_t)from->drain_timeout_ms;
    self->min_rate = from->min_rate ? from->min_rate : DEFAULT_RATE;
}

enum dsnd_err smtp_generation_new(const struct smtp_server_settings *settings,
                                  struct journal *journal, struct smtp_budget *budget, char *error,
                                  size_t error_size, struct smtp_generation **ret_generation)
{
    struct smtp_generation *self = calloc(1, sizeof(*self));
    enum dsnd_err err = DSND_ERR_NOMEM;

    (void)snprintf(error, error_size, "%s", dsnd_err_text(err));
    if (!self)
        return err;
    self->journal = journal;
    self->verify = settings->verify;
    self->users = 1;
    set_limits(self, settings);
    err = set_hostname(self, settings->hostname, error, error_size);
    if (!err)
        err = set_domains(self, settings->domains, error, error_size);
    if (!err)
        err = smtp_networks_parse(settings->proxy_from, error, error_size, &self->proxies);
    if (!err)
        err = set_tls(self, settings, error, error_size);
    if (!err)
        err = set_users(self, settings, error, error_size);
    if (err) {
        smtp_generation_free(self);
        return err == DSND_ERR_NOMEM ? err : DSND_ERR_SYNTAX; /* a file not there, too */
    }
    self->verify_context = settings->verify_context;
    self->verify_release = settings->verify_release;
    self->session.hostname = self->hostname;
    self->session.domains = self->domains;
    self->session.max_size = settings->max_size;
    self->session.max_recipients = (size_t)settings->max_recipients;
    self->session.budget = budget;
    self->session.normalizes = settings->normalizes;
    self->session.confirms = settings->confirms;
    self->session.require_signed = settings->require_signed;
    self->session.verify = verify_recipient;
    self->session.has_space = disk_has_space;
    self->session.context = self;
    *ret_generation = self;
    return DSND_OK;
}

void smtp_generation_free(struct smtp_generation *self)
{
    if (!self)
        return;
    if (self->verify_release)
        self->verify_release(self->verify_context);
    if (self->tls)
        tls_context_free(self->tls);
    smtp_users_free(self->session.users);
    free(self->domains_text);
    free(self);
}
