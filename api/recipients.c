/*
 * DELETE /v1/recipients/{address}: erasure of one person.
 */
#include "api/route.h"
#include "store/query_suppression.h"

enum dsnd_err recipients_delete(struct request *request, struct store_conn *conn)
{
    struct json_out json;
    int64_t erased = 0;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    if (!params_is_address(request->segment[0])) {
        request_problem(request, 400, "address", "address must be a mail address");
        return DSND_OK;
    }
    err = store_recipient_erase(conn, request->segment[0], &erased);
    if (err)
        return err;
    request_json(request, 200, &json);
    json_out_object(&json);
    json_out_name(&json, "erased");
    json_out_int(&json, erased);
    json_out_object_end(&json);
    return request_json_end(request, &json);
}
