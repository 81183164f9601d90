#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "hook/address.h"
#include "hook/backoff.h"
#include "hook/signature.h"

static bool is_public(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return hook_address_public((const struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return hook_address_public((const struct sockaddr *)&v6);
}

/* Borders of each range. */
static const struct {
    const char *address;
    bool is_public;
} addresses[] = {
    {"8.8.8.8", true},
    {"9.255.255.255", true},
    {"10.0.0.0", false},
    {"10.255.255.255", false},
    {"11.0.0.0", true},
    {"0.0.0.0", false},
    {"100.63.255.255", true},
    {"100.64.0.1", false},
    {"127.0.0.1", false},
    {"127.255.255.254", false},
    {"169.254.169.254", false},
    {"172.15.255.255", true},
    {"172.16.0.1", false},
    {"172.31.255.255", false},
    {"172.32.0.0", true},
    {"192.168.1.1", false},
    {"198.18.0.1", false},
    {"224.0.0.1", false},
    {"255.255.255.255", false},
    {"::", false},
    {"::1", false},
    {"::ffff:127.0.0.1", false},
    {"::ffff:8.8.8.8", true},
    {"64:ff9b::a00:1", false},
    {"64:ff9b::808:808", true},
    {"2002:7f00:1::", false},
    {"2002:808:808::", true},
    {"2001:db8::1", false},
    {"2001::1", false},
    {"2606:4700::1", true},
    {"fe80::1", false},
    {"fc00::1", false},
    {"fd12::1", false},
    {"ff02::1", false},
    {"::127.0.0.1", false},
    {"0.255.255.255", false},
    {"1.0.0.0", true},
    {"100.127.255.255", false},
    {"100.128.0.0", true},
    {"126.255.255.255", true},
    {"128.0.0.0", true},
    {"169.253.255.255", true},
    {"169.254.0.0", false},
    {"169.255.0.0", true},
    {"192.0.0.8", false},
    {"192.0.1.0", true},
    {"192.0.2.255", false},
    {"192.88.99.1", false},
    {"192.167.255.255", true},
    {"192.168.255.255", false},
    {"192.169.0.0", true},
    {"198.17.255.255", true},
    {"198.19.255.255", false},
    {"198.20.0.0", true},
    {"198.51.100.9", false},
    {"203.0.113.9", false},
    {"223.255.255.255", true},
    {"239.255.255.255", false},
    {"240.0.0.0", false},
    {"::ffff:0.0.0.0", false},
    {"::ffff:10.0.0.1", false},
    {"::ffff:100.64.0.1", false},
    {"::ffff:169.254.169.254", false},
    {"::ffff:0:127.0.0.1", false},
    {"64:ff9b::169.254.169.254", false},
    {"64:ff9b::127.0.0.1", false},
    {"64:ff9b:1::808:808", false},
    {"100::1", false},
    {"2001:0:4136:e378:8000:63bf:3fff:fdd2", false},
    {"2001:10::1", false},
    {"2001:20::1", false},
    {"2001:200::1", true},
    {"2002:a9fe:a9fe::1", false},
    {"3fff::1", false},
    {"3fff:1000::1", true},
    {"4000::1", false},
    {"5f00::1", false},
    {"febf::1", false},
    {"fec0::1", false},
    {"ff0e::1", false},
};

static void only_public_addresses_may_be_reached(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++)
        if (is_public(addresses[i].address) != addresses[i].is_public)
            fail_msg("%s", addresses[i].address);
}

static void a_socket_of_the_machine_is_not_public(void **state)
{
    const struct sockaddr local = {.sa_family = AF_UNIX};

    (void)state;
    assert_false(hook_address_public(&local));
}

static void waits_double_up_to_four_hours(void **state)
{
    static const struct {
        int64_t failures;
        int64_t wait_ms;
    } rows[] = {
        {-1, 5000},     {0, 5000},      {1, 10000},     {2, 20000},
        {11, 10240000}, {12, 14400000}, {13, 14400000}, {INT64_MAX, 14400000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_int_equal(hook_backoff_ms(rows[i].failures, 0), rows[i].wait_ms);
        assert_in_range(hook_backoff_ms(rows[i].failures, 1023), rows[i].wait_ms + 1,
                        rows[i].wait_ms * 6 / 5);
    }
}

/* Reckoned with Python's hmac and base64. */
static void signatures_are_those_of_standard_webhooks(void **state)
{
    char signature[HOOK_SIGNATURE_SIZE];

    (void)state;
    assert_int_equal(hook_sign(DSND_STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                               DSND_STR("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330,
                               DSND_STR("{\"test\": 2432232314}"), signature),
                     DSND_OK);
    assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void bad_secrets_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_AAAA",
        "whsec_no base64 at all.....!",
    };
    char signature[HOOK_SIGNATURE_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_int_equal(
            hook_sign(dsnd_str_of(rows[i]), DSND_STR("a"), 1, DSND_STR("b"), signature),
            DSND_ERR_SYNTAX);
}

static void new_secrets_differ_and_sign(void **state)
{
    char a[HOOK_SECRET_SIZE];
    char b[HOOK_SECRET_SIZE];
    char signature[HOOK_SIGNATURE_SIZE];

    (void)state;
    assert_int_equal(hook_secret_new(a), DSND_OK);
    assert_int_equal(hook_secret_new(b), DSND_OK);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), 50);
    assert_int_equal(hook_sign(dsnd_str_of(a), DSND_STR("a"), 1, DSND_STR("b"), signature),
                     DSND_OK);
    assert_int_equal(strlen(signature), 47);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_public_addresses_may_be_reached),
        cmocka_unit_test(a_socket_of_the_machine_is_not_public),
        cmocka_unit_test(waits_double_up_to_four_hours),
        cmocka_unit_test(signatures_are_those_of_standard_webhooks),
        cmocka_unit_test(bad_secrets_are_refused),
        cmocka_unit_test(new_secrets_differ_and_sign),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
