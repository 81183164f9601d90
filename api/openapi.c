/*
 * GET /v1/openapi.json: the description of all this, compiled in from api/openapi.json.
 */
#include "api/openapi.h"
#include "api/route.h"

enum dsnd_err openapi_get(struct request *request, struct store_conn *conn)
{
    (void)conn;
    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    request->status = 200;
    request->content_type = "application/json";
    return dsnd_buf_add(&request->out, dsnd_str_make(openapi_text, openapi_text_octets));
}
