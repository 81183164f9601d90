#include "hook/post.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hook/address.h"
#include "hook/signature.h"

enum {
    ANSWER_OCTETS_MAX = 64 * 1024, /* nobody reads them */
    CONNECT_TIMEOUT_MS = 5000,
    HEADER_SIZE = 256,
};

struct hook_poster {
    struct hook_settings settings;
    CURL *curl;
    const atomic_bool *stop;
    size_t taken; /* octets of the answer */
    bool refused; /* an address was not allowed */
};

enum dsnd_err hook_global_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? DSND_OK : DSND_ERR_NOMEM;
}

/* Here the name has become the address that is connected to. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct hook_poster *self = context;

    (void)purpose;
    if (!self->settings.allow_private && !hook_address_public(&address->addr)) {
        self->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t take_answer(char *octets, size_t size, size_t count, void *context)
{
    struct hook_poster *self = context;

    (void)octets;
    self->taken += size * count;
    return self->taken > ANSWER_OCTETS_MAX ? 0 : size * count;
}

static int look_at_stop(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct hook_poster *self = context;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return self->stop && *self->stop;
}

struct hook_poster *hook_poster_new(const struct hook_settings *settings)
{
    struct hook_poster *self = calloc(1, sizeof(*self));

    if (!self)
        return NULL;
    self->settings = *settings;
    self->curl = curl_easy_init();
    if (!self->curl) {
        free(self);
        return NULL;
    }
    return self;
}

void hook_poster_free(struct hook_poster *self)
{
    if (!self)
        return;
    curl_easy_cleanup(self->curl);
    free(self);
}

/* The first failure sticks. */
#define SET(option, value) \
    code = code ? code : curl_easy_setopt(self->curl, CURLOPT_##option, value)

static CURLcode set_limits(struct hook_poster *self)
{
    CURLcode code = CURLE_OK;

    SET(PROTOCOLS_STR, self->settings.allow_http ? "http,https" : "https");
    SET(FOLLOWLOCATION, 0L);
    SET(PROXY, ""); /* the environment's would connect where we cannot look */
    SET(NOSIGNAL, 1L);
    SET(TIMEOUT_MS, (long)self->settings.timeout_ms);
    SET(CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    SET(OPENSOCKETFUNCTION, open_socket);
    SET(OPENSOCKETDATA, self);
    SET(WRITEFUNCTION, take_answer);
    SET(WRITEDATA, self);
    SET(HEADERFUNCTION, take_answer);
    SET(HEADERDATA, self);
    SET(NOPROGRESS, 0L);
    SET(XFERINFOFUNCTION, look_at_stop);
    SET(XFERINFODATA, self);
    SET(FRESH_CONNECT, 1L);
    SET(FORBID_REUSE, 1L);
    SET(USERAGENT, "dsnd/" DSND_VERSION);
    return code;
}

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
    char text[HEADER_SIZE];
    struct curl_slist *longer;
    int len = snprintf(text, sizeof(text), "%s: %s", name, value);

    if (len < 0 || (size_t)len >= sizeof(text))
        return false;
    longer = curl_slist_append(*list, text);
    if (longer)
        *list = longer;
    return longer != NULL;
}

/* One signature, or while a secret takes over from another that of both, the new one first. */
static enum dsnd_err sign(const struct hook_message *message,
                          char ret_text[2 * HOOK_SIGNATURE_SIZE])
{
    struct dsnd_str secrets[] = {message->secret, message->old_secret};
    size_t len = 0;
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < 2 && dsnd_str_present(secrets[i]) && !err; i++) {
        if (i)
            ret_text[len++] = ' ';
        err = hook_sign(secrets[i], dsnd_str_of(message->id), message->timestamp, message->body,
                        ret_text + len);
        if (!err)
            len += strlen(ret_text + len);
    }
    return err;
}

static enum dsnd_err make_headers(const struct hook_message *message, struct curl_slist **list)
{
    char signatures[2 * HOOK_SIGNATURE_SIZE];
    char timestamp[24];
    enum dsnd_err err = sign(message, signatures);

    if (err)
        return err;
    (void)snprintf(timestamp, sizeof(timestamp), "%" PRId64, message->timestamp);
    /* "Expect" empty: no second round trip for a body of a few kilobytes. */
    if (!add_header(list, "Content-Type", "application/json") ||
        !add_header(list, "webhook-id", message->id) ||
        !add_header(list, "webhook-timestamp", timestamp) ||
        !add_header(list, "webhook-signature", signatures) || !add_header(list, "Expect", ""))
        return DSND_ERR_NOMEM;
    return DSND_OK;
}

static CURLcode perform(struct hook_poster *self, const struct hook_message *message,
                        struct curl_slist *headers)
{
    CURLcode code;

    curl_easy_reset(self->curl);
    code = set_limits(self);
    SET(URL, message->url);
    SET(HTTPHEADER, headers);
    SET(POSTFIELDSIZE_LARGE, (curl_off_t)message->body.len);
    SET(POSTFIELDS, message->body.ptr);
    return code == CURLE_OK ? curl_easy_perform(self->curl) : code;
}

static void tell(const struct hook_poster *self, CURLcode code, struct hook_answer *answer)
{
    bool taken = answer->status >= 200 && answer->status <= 299;

    /* Whoever says 2xx and then talks on has taken it all the same. */
    if (taken && code == CURLE_WRITE_ERROR && self->taken > ANSWER_OCTETS_MAX)
        return;
    if (self->refused && code != CURLE_OK)
        (void)snprintf(answer->reason, sizeof(answer->reason),
                       "the name leads to an address that is not public");
    else if (code != CURLE_OK)
        (void)snprintf(answer->reason, sizeof(answer->reason), "%s", curl_easy_strerror(code));
    else if (!taken)
        (void)snprintf(answer->reason, sizeof(answer->reason), "answered %d", answer->status);
}

bool hook_post(struct hook_poster *self, const struct hook_message *message,
               const atomic_bool *stop, struct hook_answer *ret_answer)
{
    struct curl_slist *headers = NULL;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    long status = 0;
    enum dsnd_err err;

    *ret_answer = (struct hook_answer){.status = 0};
    self->stop = stop;
    self->taken = 0;
    self->refused = false;
    err = make_headers(message, &headers);
    if (!err)
        code = perform(self, message, headers);
    if (!err && curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK)
        ret_answer->status = (int)status;
    curl_slist_free_all(headers);
    if (err)
        (void)snprintf(ret_answer->reason, sizeof(ret_answer->reason), "%s", dsnd_err_text(err));
    else
        tell(self, code, ret_answer);
    return ret_answer->reason[0] == '\0';
}
