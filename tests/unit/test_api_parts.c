/* Parts of the server that need neither socket nor database: routes, limits, tokens. */
#include "tests/support/unit.h"

#include <arpa/inet.h>
#include <string.h>

#include "api/auth.h"
#include "api/limit.h"
#include "api/route.h"

static void routes_are_found_by_method_and_path(void **state)
{
    static const struct {
        enum request_method method;
        const char *path;
        int status;
        const char *route;
        const char *first;
        const char *allow;
    } rows[] = {
        {REQUEST_GET, "/v1/campaigns", 0, "/v1/campaigns", NULL, "GET, HEAD, OPTIONS"},
        {REQUEST_GET, "/v1/campaigns/a%2Db", 0, "/v1/campaigns/{}", "a-b",
         "GET, HEAD, PUT, OPTIONS"},
        {REQUEST_GET, "/v1/suppressions/changes", 0, "/v1/suppressions/changes", NULL,
         "GET, HEAD, OPTIONS"},
        {REQUEST_GET, "/v1/suppressions/a%40b", 0, "/v1/suppressions/{}", "a@b",
         "GET, HEAD, PUT, DELETE, OPTIONS"},
        {REQUEST_GET, "/v1/reports/7/raw", 0, "/v1/reports/{}/raw", "7", "GET, HEAD, OPTIONS"},
        {REQUEST_POST, "/v1/campaigns", 405, NULL, NULL, "GET, HEAD, OPTIONS"},
        {REQUEST_OTHER, "/v1/sends", 405, NULL, NULL, "POST, OPTIONS"},
        {REQUEST_OPTIONS, "/v1/sends", 204, NULL, NULL, "POST, OPTIONS"},
        {REQUEST_GET, "/v1/campaigns/%ff", 400, NULL, NULL, NULL},
        {REQUEST_GET, "/v1/campaigns/%00", 400, NULL, NULL, NULL},
        {REQUEST_GET, "/v1/campaigns/", 404, NULL, NULL, NULL},
        {REQUEST_GET, "/v1/campaigns/a/b", 404, NULL, NULL, NULL},
        {REQUEST_GET, "/v1/campaigns//", 404, NULL, NULL, NULL},
        {REQUEST_GET, "/v1", 404, NULL, NULL, NULL},
        {REQUEST_GET, "/", 0, "/", NULL, "GET, HEAD, OPTIONS"},
        {REQUEST_GET, "/web/app.js", 0, "/web/{}", "app.js", "GET, HEAD, OPTIONS"},
        {REQUEST_GET, "//v1/campaigns", 404, NULL, NULL, NULL},
        {REQUEST_GET, "/V1/campaigns", 404, NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct request request = {.method = rows[i].method,
                                  .path = dsnd_str_of(rows[i].path),
                                  .arena = DSND_ARENA_INIT(65536)};
        char allow[ROUTE_ALLOW_SIZE] = "";

        assert_int_equal(route_find(&request, allow), rows[i].status);
        if (rows[i].route)
            assert_string_equal(request.route->path, rows[i].route);
        if (rows[i].first)
            assert_str(request.segment[0], rows[i].first);
        if (rows[i].allow)
            assert_string_equal(allow, rows[i].allow);
        dsnd_arena_done(&request.arena);
    }
}

static void every_route_is_found_by_its_own_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        struct request request = {.method = route_table[i].method,
                                  .path = dsnd_str_of(route_table[i].path),
                                  .arena = DSND_ARENA_INIT(65536)};
        char allow[ROUTE_ALLOW_SIZE];

        assert_int_equal(route_find(&request, allow), 0);
        assert_ptr_equal(request.route, &route_table[i]);
        assert_true(route_table[i].scopes || route_table[i].flags & ROUTE_OPEN);
        dsnd_arena_done(&request.arena);
    }
}

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;

    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        address.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        address.ss_family = AF_INET6;
    else
        fail_msg("%s", text);
    return address;
}

static unsigned taken(struct limit *limit, const char *client, int64_t now_ms)
{
    struct sockaddr_storage address = address_of(client);
    unsigned wait_s = 0;
    unsigned count = 0;

    while (count < 1000 && limit_take(limit, (struct sockaddr *)&address, now_ms, &wait_s))
        count++;
    if (count < 1000)
        assert_true(wait_s >= 1);
    return count;
}

static void a_client_gets_its_burst_and_then_its_rate(void **state)
{
    struct limit *limit = NULL;

    (void)state;
    assert_int_equal(limit_new(10, 50, &limit), DSND_OK);
    assert_int_equal(taken(limit, "192.0.2.1", 1000), 50);
    assert_int_equal(taken(limit, "192.0.2.1", 1000), 0);
    assert_int_equal(taken(limit, "192.0.2.2", 1000), 50);
    assert_int_equal(taken(limit, "192.0.2.1", 2000), 10);
    assert_int_equal(taken(limit, "192.0.2.1", 1500), 0); /* a clock that went back */
    assert_int_equal(taken(limit, "192.0.2.1", INT64_C(1) << 50), 50);
    limit_free(limit);
}

static void addresses_of_one_network_are_one_client(void **state)
{
    struct limit *limit = NULL;

    (void)state;
    assert_int_equal(limit_new(1, 5, &limit), DSND_OK);
    assert_int_equal(taken(limit, "2001:db8::1", 0), 5);
    assert_int_equal(taken(limit, "2001:db8::ffff", 0), 0);
    assert_int_equal(taken(limit, "2001:db8:0:1::1", 0), 5);
    assert_int_equal(taken(limit, "198.51.100.1", 0), 5);
    assert_int_equal(taken(limit, "::ffff:198.51.100.1", 0), 0);
    limit_free(limit);
}

static void no_rate_is_no_limit(void **state)
{
    struct limit *limit = NULL;

    (void)state;
    assert_int_equal(limit_new(0, 1, &limit), DSND_OK);
    assert_int_equal(taken(limit, "192.0.2.1", 0), 1000);
    limit_free(limit);
}

static void a_minted_token_is_read_back_from_its_header(void **state)
{
    unsigned char minted[32];
    unsigned char read[32];
    char token[AUTH_TOKEN_SIZE];
    char header[AUTH_TOKEN_SIZE + 16];

    (void)state;
    assert_int_equal(auth_mint(token, minted), DSND_OK);
    assert_true(snprintf(header, sizeof(header), "Bearer %s", token) > 0);
    assert_int_equal(auth_read(dsnd_str_of(header), read), DSND_OK);
    assert_memory_equal(read, minted, sizeof(read));
    header[0] = 'b'; /* RFC 9110 section 11.1: the scheme is case-insensitive */
    assert_int_equal(auth_read(dsnd_str_of(header), read), DSND_OK);
}

static void what_is_no_token_is_refused(void **state)
{
    static const char *const headers[] = {
        "",
        "Bearer",
        "Bearer ",
        "Bearer dsnd_",
        "Basic dTpw",
        "dsnd_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "Bearer dsnd_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "Bearer dsnd_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "Bearer dsnd_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1",
        "Bearer DSND_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    unsigned char hash[32];

    (void)state;
    for (size_t i = 0; i < ROWS(headers); i++)
        assert_int_equal(auth_read(dsnd_str_of(headers[i]), hash), DSND_ERR_SYNTAX);
    assert_int_equal(auth_read(DSND_STR_ABSENT, hash), DSND_ERR_SYNTAX);
}

static void a_token_is_recalled_only_by_its_whole_hash(void **state)
{
    struct auth *auth = NULL;
    struct store_token token = {7, STORE_SCOPE_READ};
    struct store_token got = {0, 0};
    unsigned char hash[32] = {1};
    unsigned char other[32] = {1, [31] = 1};

    (void)state;
    assert_int_equal(auth_new(&auth), DSND_OK);
    assert_int_equal(auth_recall(auth, hash, &got), DSND_ERR_NOT_FOUND);
    auth_remember(auth, hash, &token);
    assert_int_equal(auth_recall(auth, hash, &got), DSND_OK);
    assert_int_equal(got.id, 7);
    assert_int_equal(got.scopes, STORE_SCOPE_READ);
    assert_int_equal(auth_recall(auth, other, &got), DSND_ERR_NOT_FOUND);
    auth_free(auth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_are_found_by_method_and_path),
        cmocka_unit_test(every_route_is_found_by_its_own_path),
        cmocka_unit_test(a_client_gets_its_burst_and_then_its_rate),
        cmocka_unit_test(addresses_of_one_network_are_one_client),
        cmocka_unit_test(no_rate_is_no_limit),
        cmocka_unit_test(a_minted_token_is_read_back_from_its_header),
        cmocka_unit_test(what_is_no_token_is_refused),
        cmocka_unit_test(a_token_is_recalled_only_by_its_whole_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
