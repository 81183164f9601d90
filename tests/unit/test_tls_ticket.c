#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "ingest/tls_ticket.h"

enum { HOUR_MS = 3600 * 1000 };

static int64_t clock_ms;

static int64_t now_ms(void)
{
    return clock_ms;
}

struct bench {
    struct tls_tickets *tickets;
    SSL_CTX *server;
    SSL_CTX *client;
    EVP_PKEY *key;
    X509 *cert;
    SSL_SESSION *session;
};

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct bench *self = SSL_get_app_data(ssl);

    SSL_SESSION_free(self->session);
    self->session = session;
    return 1;
}

static void certify(struct bench *self)
{
    self->key = EVP_EC_gen("P-256");
    self->cert = X509_new();
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(self->cert), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(self->cert), HOUR_MS));
    assert_int_equal(X509_set_pubkey(self->cert, self->key), 1);
    assert_true(X509_sign(self->cert, self->key, EVP_sha256()) > 0);
    assert_int_equal(SSL_CTX_use_certificate(self->server, self->cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(self->server, self->key), 1);
}

static void set_up(struct bench *self, int version)
{
    *self = (struct bench){0};
    clock_ms = 1000;
    assert_int_equal(tls_tickets_new(now_ms, &self->tickets), DSND_OK);
    self->server = SSL_CTX_new(TLS_server_method());
    self->client = SSL_CTX_new(TLS_client_method());
    assert_int_equal(tls_tickets_use(self->tickets, self->server), DSND_OK);
    assert_int_equal(SSL_CTX_set_max_proto_version(self->client, version), 1);
    (void)SSL_CTX_set_session_cache_mode(self->client, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(self->client, keep_session);
    certify(self);
}

static void tear_down(struct bench *self)
{
    SSL_SESSION_free(self->session);
    SSL_CTX_free(self->client);
    SSL_CTX_free(self->server);
    X509_free(self->cert);
    EVP_PKEY_free(self->key);
    tls_tickets_free(self->tickets);
}

/* One connection that offers the session kept last; whether it was taken. */
static int resumes(struct bench *self)
{
    SSL *server = SSL_new(self->server);
    SSL *client = SSL_new(self->client);
    BIO *server_end;
    BIO *client_end;
    char octet;
    int taken;

    assert_int_equal(BIO_new_bio_pair(&server_end, 0, &client_end, 0), 1);
    SSL_set_bio(server, server_end, server_end);
    SSL_set_bio(client, client_end, client_end);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    SSL_set_app_data(client, self);
    if (self->session)
        assert_int_equal(SSL_set_session(client, self->session), 1);
    for (int i = 0; i < 10; i++) {
        (void)SSL_do_handshake(client);
        (void)SSL_do_handshake(server);
    }
    assert_true(SSL_is_init_finished(client) && SSL_is_init_finished(server));
    (void)SSL_read(client, &octet, 1);         /* tickets of TLS 1.3 come behind the handshake */
    if (SSL_version(client) == TLS1_2_VERSION) /* a renewed ticket is not told by the callback */
        (void)keep_session(client, SSL_get1_session(client));
    taken = SSL_session_reused(server);
    (void)SSL_shutdown(client);
    SSL_free(server);
    SSL_free(client);
    return taken;
}

static void a_ticket_opens_for_a_day_at_most(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    static const struct {
        int64_t hours;
        int taken;
    } rows[] = {{0, 1}, {11, 1}, {12, 1}, {23, 1}, {24, 0}, {1000, 0}};

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
            struct bench bench;

            set_up(&bench, versions[v]);
            assert_int_equal(resumes(&bench), 0);
            clock_ms += rows[i].hours * HOUR_MS;
            assert_int_equal(resumes(&bench), rows[i].taken);
            tear_down(&bench);
        }
    }
}

static void a_ticket_under_the_older_key_is_renewed(void **state)
{
    struct bench bench;

    (void)state;
    set_up(&bench, TLS1_2_VERSION);
    assert_int_equal(resumes(&bench), 0);
    for (int i = 0; i < 10; i++) {
        clock_ms += (int64_t)13 * HOUR_MS;
        assert_int_equal(resumes(&bench), 1);
    }
    tear_down(&bench);
}

static void other_tickets_do_not_open(void **state)
{
    struct bench one;
    struct bench other;

    (void)state;
    set_up(&one, TLS1_3_VERSION);
    set_up(&other, TLS1_3_VERSION);
    assert_int_equal(resumes(&one), 0);
    other.session = one.session;
    one.session = NULL;
    assert_int_equal(resumes(&other), 0);
    tear_down(&one);
    tear_down(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_opens_for_a_day_at_most),
        cmocka_unit_test(a_ticket_under_the_older_key_is_renewed),
        cmocka_unit_test(other_tickets_do_not_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
