/*
 * /v1/return-paths: mint signed return paths for those who cannot sign themselves.
 */
#include <jansson.h>
#include <stddef.h>

#include "api/json_in.h"
#include "api/route.h"
#include "base/clock.h"

enum { RECIPIENTS_MAX = 10000 };

struct body {
    struct dsnd_str campaign;
    json_t *recipients;
};

struct recipient {
    struct dsnd_str address;
    struct dsnd_str ref;
};

/* "a@b.example", or {"recipient":…,"ref":…} with one of the two or both. */
static bool read_recipient(struct request *request, json_t *value, size_t index,
                           struct recipient *ret_recipient)
{
    static const struct member_spec specs[] = {
        {"recipient", MEMBER_ADDRESS, offsetof(struct recipient, address), SIZE_MAX, 0},
        {"ref", MEMBER_REF, offsetof(struct recipient, ref), SIZE_MAX, 0},
    };
    struct params_error error;

    ret_recipient->address = json_in_str(value);
    ret_recipient->ref = DSND_STR_ABSENT;
    if (dsnd_str_present(ret_recipient->address) && json_in_is_address(ret_recipient->address))
        return true;
    if (json_is_object(value) &&
        json_in_members(value, specs, sizeof(specs) / sizeof(*specs), ret_recipient, &error) ==
            DSND_OK &&
        (dsnd_str_present(ret_recipient->address) || dsnd_str_present(ret_recipient->ref)))
        return true;
    request_problem(request, 400, "recipients",
                    "recipients[%zu] must be a mail address or an object with recipient or ref",
                    index);
    return false;
}

/* The ref as minted: the second label of the address. */
static struct dsnd_str ref_of(const char *address)
{
    struct dsnd_str rest = dsnd_str_of(address);

    (void)dsnd_str_cut(&rest, '.');
    (void)dsnd_str_cut(&rest, '.');
    return dsnd_str_cut(&rest, '.');
}

static bool mint(struct request *request, struct dsnd_str campaign,
                 const struct recipient *recipient, size_t index, char *ret_address)
{
    const char *why = "cannot be signed for";
    const struct return_path_request what = {campaign, recipient->address, recipient->ref,
                                             dsnd_str_of(request_domain(request))};
    enum dsnd_err err =
        return_path_mint(request_keys(request), &what, dsnd_clock_now_us(), ret_address);

    if (!err)
        return true;
    if (err == DSND_ERR_CONFLICT)
        why = "has a ref that begins like a default one (h and 13 base32 characters)";
    else if (err == DSND_ERR_LIMIT)
        why = "gives an address that is too long";
    request_problem(request, 400, "recipients", "recipients[%zu] %s", index, why);
    return false;
}

static enum dsnd_err mint_all(struct request *request, const struct body *body)
{
    struct json_out json;
    char address[RETURN_PATH_SIZE];

    request_json(request, 200, &json);
    json_out_object(&json);
    json_out_name(&json, "data");
    json_out_array(&json);
    for (size_t i = 0; i < json_array_size(body->recipients); i++) {
        struct recipient recipient;

        if (!read_recipient(request, json_array_get(body->recipients, i), i, &recipient) ||
            !mint(request, body->campaign, &recipient, i, address))
            return DSND_OK;
        json_out_object(&json);
        json_out_name(&json, "recipient");
        json_out_str(&json, recipient.address);
        json_out_name(&json, "ref");
        json_out_str(&json, ref_of(address));
        json_out_name(&json, "address");
        json_out_str(&json, dsnd_str_of(address));
        json_out_object_end(&json);
    }
    json_out_array_end(&json);
    json_out_object_end(&json);
    return request_json_end(request, &json);
}

static enum dsnd_err answer(struct request *request, json_t *object)
{
    static const struct member_spec specs[] = {
        {"campaign", MEMBER_KEY, offsetof(struct body, campaign), SIZE_MAX, 0},
        {"recipients", MEMBER_ARRAY, offsetof(struct body, recipients), SIZE_MAX, RECIPIENTS_MAX},
    };
    struct body body = {DSND_STR_ABSENT, NULL};
    struct params_error error;

    if (json_in_members(object, specs, sizeof(specs) / sizeof(*specs), &body, &error)) {
        request_problem_of(request, 400, &error);
        return DSND_OK;
    }
    if (!dsnd_str_present(body.campaign) || !body.recipients) {
        request_problem(request, 400, body.recipients ? "campaign" : "recipients",
                        "campaign and recipients must be given");
        return DSND_OK;
    }
    if (request_keys(request)->count == 0 || !request_domain(request)[0]) {
        request_problem(request, 409, NULL,
                        "this server has no signing key (sign.keys_file) or no bounce domain "
                        "(smtp.domains)");
        return DSND_OK;
    }
    return mint_all(request, &body);
}

enum dsnd_err return_paths_post(struct request *request, struct store_conn *conn)
{
    struct params_error error;
    json_t *object = NULL;
    enum dsnd_err err;

    (void)conn;
    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    if (json_in_parse(dsnd_buf_str(&request->body), false, &object, &error)) {
        request_problem_of(request, 400, &error);
        return DSND_OK;
    }
    err = answer(request, object);
    json_decref(object);
    return err;
}
