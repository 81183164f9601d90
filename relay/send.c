#include "relay/send.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_TIMEOUT_MS = 10 * 1000,
    TIMEOUT_MS = 5 * 60 * 1000, /* for all of it; relays may take their time over the last dot */
    REPLY_PERMANENT = 500,
    URL_SIZE = 1024,
};

struct relay {
    CURL *curl;
    struct dsnd_str rest; /* of the message, not sent yet */
    const atomic_bool *stop;
};

enum dsnd_err relay_global_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? DSND_OK : DSND_ERR_NOMEM;
}

struct relay *relay_new(void)
{
    struct relay *self = calloc(1, sizeof(*self));

    if (!self)
        return NULL;
    self->curl = curl_easy_init();
    if (!self->curl) {
        free(self);
        return NULL;
    }
    return self;
}

void relay_free(struct relay *self)
{
    if (!self)
        return;
    curl_easy_cleanup(self->curl);
    free(self);
}

bool relay_url_valid(const char *url)
{
    struct dsnd_str rest = dsnd_str_of(url);
    size_t skip = dsnd_str_starts(rest, DSND_STR("smtps://")) ? 8 : 7;

    if (skip == 7 && !dsnd_str_starts(rest, DSND_STR("smtp://")))
        return false;
    rest = dsnd_str_slice(rest, skip, rest.len);
    for (size_t i = 0; i < rest.len; i++)
        if (!dsnd_is_alpha(rest.ptr[i]) && !dsnd_is_digit(rest.ptr[i]) &&
            dsnd_str_chr(DSND_STR(".-:[]"), rest.ptr[i]) == SIZE_MAX)
            return false;
    return rest.len > 0 && rest.len < 300;
}

static size_t give_octets(char *room, size_t size, size_t count, void *context)
{
    struct relay *self = context;
    size_t len = size * count < self->rest.len ? size * count : self->rest.len;

    if (len)
        memcpy(room, self->rest.ptr, len);
    self->rest = dsnd_str_slice(self->rest, len, self->rest.len);
    return len;
}

/* What a relay says beside its codes is for nobody. */
static size_t drop_answer(char *octets, size_t size, size_t count, void *context)
{
    (void)octets;
    (void)context;
    return size * count;
}

static int look_at_stop(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct relay *self = context;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return self->stop && *self->stop;
}

#define SET(option, value)                                                \
    do {                                                                  \
        if (code == CURLE_OK)                                             \
            code = curl_easy_setopt(self->curl, CURLOPT_##option, value); \
    } while (0)

/* libcurl says in EHLO what stands in the path of the URL. */
static CURLcode set_address(struct relay *self, const struct relay_settings *settings)
{
    char url[URL_SIZE];
    int written = snprintf(url, sizeof(url), "%s/%s", settings->url, settings->hostname);
    CURLcode code = CURLE_OK;

    if (written < 0 || (size_t)written >= sizeof(url))
        return CURLE_URL_MALFORMAT;
    SET(URL, url);
    SET(PROTOCOLS_STR, "smtp,smtps");
    SET(PROXY, "");
    if (settings->login[0])
        SET(USERPWD, settings->login);
    return code;
}

static CURLcode set_encryption(struct relay *self, const struct relay_settings *settings)
{
    bool must = settings->tls == RELAY_TLS_MUST || strncmp(settings->url, "smtps:", 6) == 0;
    CURLcode code = CURLE_OK;

    SET(USE_SSL, (long)(must ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    SET(SSL_VERIFYPEER, must ? 1L : 0L);
    SET(SSL_VERIFYHOST, must ? 2L : 0L);
    return code;
}

static CURLcode set_limits(struct relay *self)
{
    CURLcode code = CURLE_OK;

    SET(NOSIGNAL, 1L);
    SET(TIMEOUT_MS, (long)TIMEOUT_MS);
    SET(CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    SET(NOPROGRESS, 0L);
    SET(XFERINFOFUNCTION, look_at_stop);
    SET(XFERINFODATA, self);
    SET(WRITEFUNCTION, drop_answer);
    SET(HEADERFUNCTION, drop_answer);
    return code;
}

static CURLcode perform(struct relay *self, const struct relay_settings *settings,
                        struct curl_slist *recipients)
{
    curl_off_t size = (curl_off_t)self->rest.len;
    CURLcode code;

    curl_easy_reset(self->curl);
    code = set_address(self, settings);
    if (code == CURLE_OK)
        code = set_encryption(self, settings);
    if (code == CURLE_OK)
        code = set_limits(self);
    SET(MAIL_FROM, "");
    SET(MAIL_RCPT, recipients);
    SET(UPLOAD, 1L);
    SET(INFILESIZE_LARGE, size);
    SET(READFUNCTION, give_octets);
    SET(READDATA, self);
    return code == CURLE_OK ? curl_easy_perform(self->curl) : code;
}

enum relay_result relay_send(struct relay *self, const struct relay_settings *settings,
                             const char *recipient, struct dsnd_str octets, const atomic_bool *stop,
                             char reason[RELAY_REASON_SIZE])
{
    struct curl_slist *recipients = curl_slist_append(NULL, recipient);
    CURLcode code = CURLE_OUT_OF_MEMORY;
    long reply = 0;

    self->rest = octets;
    self->stop = stop;
    reason[0] = '\0';
    if (recipients)
        code = perform(self, settings, recipients);
    curl_slist_free_all(recipients);
    if (code == CURLE_OK)
        return RELAY_SENT;
    (void)curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &reply);
    (void)snprintf(reason, RELAY_REASON_SIZE, "%s (%ld)", curl_easy_strerror(code), reply);
    /* A relay that refuses us, not the mail, may let us in once its configuration is mended. */
    return reply >= REPLY_PERMANENT && code != CURLE_LOGIN_DENIED && code != CURLE_USE_SSL_FAILED
               ? RELAY_REFUSED
               : RELAY_LATER;
}
