#include "api/idempotency.h"

#include <string.h>

#include "api/route.h"
#include "parse/digest.h"

enum { KEY_MAX = 255 };

static bool key_is_good(struct dsnd_str key)
{
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] < ' ' || key.ptr[i] == 0x7f)
            return false;
    return key.len >= 1 && key.len <= KEY_MAX;
}

/* Key and fingerprint: the same key must not serve another target or body. */
static enum dsnd_err describe(const struct request *self, struct dsnd_str key,
                              struct store_idempotency *ret_request)
{
    unsigned char parts[2 * DIGEST_OCTETS];
    enum dsnd_err err = digest_sha256(dsnd_str_of(self->target), parts);

    if (!err)
        err = digest_sha256(dsnd_buf_str(&self->body), parts + DIGEST_OCTETS);
    if (!err)
        err = digest_sha256(dsnd_str_make((const char *)parts, sizeof(parts)),
                            ret_request->request_hash);
    ret_request->token_id = self->token.id;
    ret_request->key = key;
    return err;
}

static void give_again(struct request *self, const struct store_answer *answer)
{
    self->answered = true;
    if (!answer->same_request) {
        request_problem(self, 422, "Idempotency-Key", "the key was used for another request");
    } else if (answer->status == 0) {
        request_problem(self, 409, "Idempotency-Key", "the first request is still under way");
    } else {
        struct dsnd_str type;

        self->status = answer->status;
        if (dsnd_arena_copy(&self->arena, dsnd_str_of(answer->content_type), &type) == DSND_OK)
            self->content_type = type.ptr;
        request_add_header(self, "Idempotency-Replayed", DSND_STR("true"));
    }
}

enum dsnd_err idempotency_begin(struct request *self, struct store_conn *conn, bool *ret_keyed)
{
    struct dsnd_str key = request_header(self, "Idempotency-Key");
    struct store_idempotency request;
    struct store_answer answer;
    bool claimed = true;
    enum dsnd_err err;

    if (!(self->route->flags & ROUTE_IDEMPOTENT) || !dsnd_str_present(key))
        return DSND_OK;
    if (!key_is_good(key)) {
        request_problem(self, 400, "Idempotency-Key",
                        "Idempotency-Key must be 1 to 255 printable ASCII characters");
        self->answered = true;
        return DSND_OK;
    }
    err = describe(self, key, &request);
    if (!err)
        err = store_idempotency_begin(conn, &request, &claimed, &answer, &self->out);
    if (err)
        return err;
    *ret_keyed = claimed;
    if (!claimed)
        give_again(self, &answer);
    return DSND_OK;
}

/* Nothing was done where it failed, or where the request could not be read: it may be mended. */
static bool answer_is_kept(int status)
{
    return status < 500 && status != 400 && status != 415;
}

enum dsnd_err idempotency_end(struct request *self, struct store_conn *conn)
{
    struct store_idempotency request;
    enum dsnd_err err;

    if (!answer_is_kept(self->status)) {
        store_idempotency_drop(conn);
        return DSND_OK;
    }
    err = describe(self, request_header(self, "Idempotency-Key"), &request);
    if (!err)
        return store_idempotency_end(conn, &request, self->status,
                                     self->content_type ? self->content_type : "",
                                     dsnd_buf_str(&self->out));
    store_idempotency_drop(conn);
    return err;
}
