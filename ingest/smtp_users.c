#include "ingest/smtp_users.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/siphash.h"

enum {
    LINE_SIZE = 1024,
    KEY_OCTETS = 32, /* of SHA-256 */
    SALT_MAX = 64,
    ITERATIONS_DEFAULT = 4096, /* RFC 7677 section 4 */
};

/* Texts are owned. A user has either a password or the other four. */
struct smtp_user {
    char *name;
    char *password;
    unsigned iterations;
    char *salt; /* base64, as the next two */
    char *stored_key;
    char *server_key;
};

struct smtp_users {
    Gsasl *sasl;
    struct siphash_key salt_key; /* salts of those who have none, the same each time */
    size_t count;
    bool readable; /* a secret can be read back */
    struct smtp_user at[SMTP_USERS_MAX];
};

/* ---- secrets ---- */

static const struct smtp_user *find(const struct smtp_users *self, const char *name)
{
    for (size_t i = 0; name && i < self->count; i++)
        if (strcmp(self->at[i].name, name) == 0)
            return &self->at[i];
    return NULL;
}

/* An unknown name gets a salt too, so that nobody learns by asking who is known. */
static void invent_salt(const struct smtp_users *self, const char *name, char ret_salt[17])
{
    uint64_t hash = siphash(&self->salt_key, dsnd_str_of(name ? name : ""));

    (void)snprintf(ret_salt, 17, "%08x%08x", (unsigned)(hash >> 32), (unsigned)hash);
}

static int give_salt(const struct smtp_users *self, Gsasl_session *session, const char *name)
{
    const struct smtp_user *user = find(self, name);
    char invented[17];

    invent_salt(self, name, invented);
    return gsasl_property_set(session, GSASL_SCRAM_SALT,
                              user && user->salt ? user->salt : invented);
}

static int give_iterations(const struct smtp_users *self, Gsasl_session *session, const char *name)
{
    const struct smtp_user *user = find(self, name);
    char text[16];

    (void)snprintf(text, sizeof(text), "%u",
                   user && user->salt ? user->iterations : (unsigned)ITERATIONS_DEFAULT);
    return gsasl_property_set(session, GSASL_SCRAM_ITER, text);
}

/* A key for everyone but those with a password, from whom it is derived; nobody's is all zeros. */
static int give_key(const struct smtp_users *self, Gsasl_session *session, const char *name,
                    Gsasl_property which)
{
    static const char nobody[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const struct smtp_user *user = find(self, name);

    if (!user)
        return gsasl_property_set(session, which, nobody);
    if (user->password)
        return GSASL_NO_CALLBACK;
    return gsasl_property_set(session, which,
                              which == GSASL_SCRAM_STOREDKEY ? user->stored_key : user->server_key);
}

static bool same(const char *a, const char *b, size_t len)
{
    unsigned char difference = 0;

    for (size_t i = 0; i < len; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference == 0;
}

/* The password leads to the user's stored key. */
static bool derives(const struct smtp_user *user, const char *password)
{
    char salted[KEY_OCTETS];
    char client[KEY_OCTETS];
    char server[KEY_OCTETS];
    char stored[KEY_OCTETS];
    char *salt = NULL;
    char *wanted = NULL;
    size_t salt_len = 0;
    size_t wanted_len = 0;
    bool ok =
        gsasl_base64_from(user->salt, strlen(user->salt), &salt, &salt_len) == GSASL_OK &&
        gsasl_base64_from(user->stored_key, strlen(user->stored_key), &wanted, &wanted_len) ==
            GSASL_OK &&
        wanted_len == KEY_OCTETS &&
        gsasl_scram_secrets_from_password(GSASL_HASH_SHA256, password, user->iterations, salt,
                                          salt_len, salted, client, server, stored) == GSASL_OK &&
        same(stored, wanted, KEY_OCTETS);

    gsasl_free(salt);
    gsasl_free(wanted);
    return ok;
}

static int validate(const struct smtp_users *self, Gsasl_session *session)
{
    const struct smtp_user *user = find(self, gsasl_property_fast(session, GSASL_AUTHID));
    const char *password = gsasl_property_fast(session, GSASL_PASSWORD);
    bool ok = false;

    if (!user || !password)
        return GSASL_AUTHENTICATION_ERROR;
    if (!user->password)
        ok = derives(user, password);
    else if (strlen(password) == strlen(user->password))
        ok = same(password, user->password, strlen(password));
    return ok ? GSASL_OK : GSASL_AUTHENTICATION_ERROR;
}

static int give_password(const struct smtp_users *self, Gsasl_session *session, const char *name)
{
    const struct smtp_user *user = find(self, name);

    if (!user || !user->password)
        return GSASL_NO_PASSWORD;
    return gsasl_property_set(session, GSASL_PASSWORD, user->password);
}

static int on_question(Gsasl *sasl, Gsasl_session *session, Gsasl_property property)
{
    const struct smtp_users *self = gsasl_callback_hook_get(sasl);
    const char *name = gsasl_property_fast(session, GSASL_AUTHID);

    if (property == GSASL_VALIDATE_SIMPLE)
        return validate(self, session);
    if (property == GSASL_PASSWORD)
        return give_password(self, session, name);
    if (property == GSASL_SCRAM_SALT)
        return give_salt(self, session, name);
    if (property == GSASL_SCRAM_ITER)
        return give_iterations(self, session, name);
    if (property == GSASL_SCRAM_STOREDKEY || property == GSASL_SCRAM_SERVERKEY)
        return give_key(self, session, name, property);
    return GSASL_NO_CALLBACK;
}

/* ---- the file ---- */

static char *copy(struct dsnd_str text)
{
    return strndup(text.ptr, text.len);
}

static bool is_base64(struct dsnd_str text, size_t octets_max)
{
    char *octets = NULL;
    size_t len = 0;
    bool ok = text.len && gsasl_base64_from(text.ptr, text.len, &octets, &len) == GSASL_OK &&
              len > 0 && len <= octets_max;

    gsasl_free(octets);
    return ok;
}

static enum dsnd_err read_scram(struct dsnd_str secret, struct smtp_user *user)
{
    struct dsnd_str iterations = dsnd_str_cut(&secret, ',');
    struct dsnd_str salt = dsnd_str_cut(&secret, ',');
    struct dsnd_str stored = dsnd_str_cut(&secret, ',');
    uint64_t count;

    if (dsnd_str_to_u64(iterations, SMTP_USERS_ITERATIONS_MAX, &count) || !count ||
        !dsnd_str_present(secret) || !is_base64(salt, SALT_MAX) || !is_base64(stored, KEY_OCTETS) ||
        !is_base64(secret, KEY_OCTETS))
        return DSND_ERR_SYNTAX;
    user->iterations = (unsigned)count;
    user->salt = copy(salt);
    user->stored_key = copy(stored);
    user->server_key = copy(secret);
    return user->salt && user->stored_key && user->server_key ? DSND_OK : DSND_ERR_NOMEM;
}

static enum dsnd_err read_line(struct smtp_users *self, struct dsnd_str line)
{
    static const struct dsnd_str scram = DSND_STR_INIT("{SCRAM-SHA-256}");
    static const struct dsnd_str plain = DSND_STR_INIT("{PLAIN}");
    struct dsnd_str secret = line;
    struct dsnd_str name = dsnd_str_cut(&secret, ' ');
    struct smtp_user *user;

    if (self->count == SMTP_USERS_MAX)
        return DSND_ERR_LIMIT;
    secret = dsnd_str_present(secret) ? dsnd_str_trim(secret) : DSND_STR("");
    user = &self->at[self->count++];
    user->name = copy(name);
    if (!user->name)
        return DSND_ERR_NOMEM;
    if (dsnd_str_istarts(secret, scram))
        return read_scram(dsnd_str_slice(secret, scram.len, secret.len), user);
    if (!dsnd_str_istarts(secret, plain) || secret.len == plain.len)
        return DSND_ERR_SYNTAX;
    user->password = copy(dsnd_str_slice(secret, plain.len, secret.len));
    self->readable = true;
    return user->password ? DSND_OK : DSND_ERR_NOMEM;
}

static enum dsnd_err read_file(struct smtp_users *self, FILE *file, unsigned *line)
{
    char text[LINE_SIZE];
    enum dsnd_err err = DSND_OK;

    while (!err && fgets(text, sizeof(text), file)) {
        struct dsnd_str str = dsnd_str_trim(dsnd_str_of(text));

        ++*line;
        if (strlen(text) == sizeof(text) - 1)
            err = DSND_ERR_SYNTAX;
        else if (str.len && str.ptr[0] != '#')
            err = read_line(self, str);
    }
    explicit_bzero(text, sizeof(text));
    return !err && ferror(file) ? DSND_ERR_IO : err;
}

static void describe(enum dsnd_err err, const char *file, unsigned line, char *error, size_t size)
{
    char cause[128];

    if (err == DSND_ERR_SYNTAX)
        (void)snprintf(error, size,
                       "%s:%u: want a name and {SCRAM-SHA-256}iterations,salt,key,key with at most "
                       "%d iterations, or {PLAIN}password",
                       file, line, SMTP_USERS_ITERATIONS_MAX);
    else if (err == DSND_ERR_LIMIT)
        (void)snprintf(error, size, "%s:%u: more than %d users", file, line, SMTP_USERS_MAX);
    else
        (void)snprintf(error, size, "users file %s: %s", file,
                       err == DSND_ERR_IO ? strerror_r(errno, cause, sizeof(cause))
                                          : dsnd_err_text(err));
}

static enum dsnd_err prepare(struct smtp_users *self)
{
    if (getrandom(&self->salt_key, sizeof(self->salt_key), 0) != sizeof(self->salt_key))
        return DSND_ERR_IO;
    if (gsasl_init(&self->sasl) != GSASL_OK)
        return DSND_ERR_NOMEM;
    gsasl_callback_set(self->sasl, on_question);
    gsasl_callback_hook_set(self->sasl, self);
    return DSND_OK;
}

enum dsnd_err smtp_users_load(const char *file, char *error, size_t error_size,
                              struct smtp_users **ret_users)
{
    struct smtp_users *self = calloc(1, sizeof(*self));
    FILE *in = NULL;
    unsigned line = 0;
    enum dsnd_err err = self ? prepare(self) : DSND_ERR_NOMEM;

    if (!err) {
        in = fopen(file, "re");
        err = in ? read_file(self, in, &line) : DSND_ERR_IO;
    }
    if (err) {
        describe(err, file, line, error, error_size);
        smtp_users_free(self);
    } else {
        *ret_users = self;
    }
    if (in)
        (void)fclose(in);
    return err;
}

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

void smtp_users_free(struct smtp_users *self)
{
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++) {
        free(self->at[i].name);
        wipe(self->at[i].password);
        free(self->at[i].salt);
        wipe(self->at[i].stored_key);
        wipe(self->at[i].server_key);
    }
    if (self->sasl)
        gsasl_done(self->sasl);
    free(self);
}

const char *smtp_users_mechanisms(const struct smtp_users *self, bool tls)
{
    if (tls)
        return self->readable ? "SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN" : "SCRAM-SHA-256 PLAIN LOGIN";
    return self->readable ? "SCRAM-SHA-256 CRAM-MD5" : "SCRAM-SHA-256";
}

Gsasl *smtp_users_sasl(const struct smtp_users *self)
{
    return self->sasl;
}

bool smtp_users_readable(const struct smtp_users *self)
{
    return self->readable;
}
