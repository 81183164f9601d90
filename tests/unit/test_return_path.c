#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "parse/base32.h"
#include "parse/digest.h"
#include "parse/return_path.h"

#define DAY_US (INT64_C(86400) * 1000000)
#define DAYS(n) ((n)*DAY_US)
#define ARRAY_LEN(a) (sizeof(a) / sizeof(*(a)))

/* 2026-11-23 12:00, 2026-11-22 and 2020-01-01 UTC. */
static const int64_t nov_23 = INT64_C(1795435200) * 1000000;
static const int64_t nov_22 = INT64_C(1795305600) * 1000000;
static const int64_t epoch_2020 = INT64_C(1577836800) * 1000000;

static const char keys_text[] =
    "# newest first\n"
    "k 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
    "\n"
    "2 202122232425262728292A2B2C2D2E2F303132333435363738393a3b3c3d3e3f # older\r\n";

static const char spring[] =
    "r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw@bounces.example.com";

static struct return_path_keys two_keys(void)
{
    struct return_path_keys keys;
    char error[200];

    assert_int_equal(return_path_keys_read(dsnd_str_of(keys_text), error, sizeof(error), &keys),
                     DSND_OK);
    assert_int_equal(keys.count, 2);
    return keys;
}

/* The same keys with the one of this id first. */
static struct return_path_keys minting_with(char id)
{
    struct return_path_keys keys = two_keys();

    if (keys.key[0].id != id) {
        struct return_path_key first = keys.key[0];

        keys.key[0] = keys.key[1];
        keys.key[1] = first;
    }
    return keys;
}

static const struct vector {
    char key;
    const char *campaign, *recipient, *ref, *domain;
    const int64_t *minted;
    const char *address;
} vectors[] = {
    {'k', "spring-2026", "Alice@Example.COM", NULL, "bounces.example.com", &nov_23, spring},
    {'k', "spring-2026", "bob@example.org", "u-4711", "Bounces.Example.COM", &nov_23,
     "r1.spring-2026.u-4711.cowkavpbsjq6pfz7f2pf@bounces.example.com"},
    {'2', "n", "\xc3\xbcser@ex\xc3\xa4mple.de", NULL, "b.example.net", &epoch_2020,
     "r1.n.h2oifp5bq6lqpo.aaa2adzir6miukmzkrfc@b.example.net"},
    {'2', "a-campaign-of-20-chr", "x@y.example", "ref_of_16_chars_", "bounces.example.com", &nov_22,
     "r1.a-campaign-of-20-chr.ref_of_16_chars_.cov23nhypupcphp3ygo5@bounces.example.com"},
};

static void mint_gives_the_published_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        const struct vector *v = &vectors[i];
        struct return_path_keys keys = minting_with(v->key);
        char address[RETURN_PATH_SIZE];

        assert_int_equal(return_path_mint(&keys,
                                          &(struct return_path_request){
                                              dsnd_str_of(v->campaign), dsnd_str_of(v->recipient),
                                              dsnd_str_of(v->ref), dsnd_str_of(v->domain)},
                                          *v->minted, address),
                         DSND_OK);
        assert_string_equal(address, v->address);
    }
}

static void verify_takes_the_published_vectors(void **state)
{
    struct return_path_keys keys = two_keys();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        const struct vector *v = &vectors[i];
        struct return_path path;

        return_path_verify(&keys, dsnd_str_of(v->address), *v->minted, DAYS(60), &path);
        assert_int_equal(path.verdict, RETURN_PATH_SIGNED);
        assert_string_equal(path.campaign, v->campaign);
        assert_int_equal(path.ref_is_hash, v->ref == NULL);
        assert_int_equal(path.key_id, v->key);
        assert_int_equal(return_path_proves(&path, dsnd_str_of(v->recipient)), v->ref == NULL);
        assert_false(return_path_proves(&path, DSND_STR("somebody@else.example")));
    }
}

static void verify_takes_off_what_hosts_put_around(void **state)
{
    static const char *const rows[] = {
        "R1.SPRING-2026.H76GZQGP4BYJL6.COWKNN5RZMMD66ZSQ7XW@BOUNCES.EXAMPLE.COM",
        "prvs=4711abcdef=r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw@bounces.example.com",
        "PRVS=4711ABCDEF=R1.Spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw@bounces.example.com",
        "prvs=r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw/4711abcdef@bounces.example.com",
        "btv1==01234567890==r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw@bounces.example.com",
        "SRS0=HHH=TT=bounces.example.com=r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw"
        "@forwarder.example",
        "srs0+hhh=tt=bounces.example.com=r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw"
        "@forwarder.example",
        "SRS1=HHH=one.example==HHH=TT=bounces.example.com=r1.spring-2026.h76gzqgp4byjl6."
        "cowknn5rzmmd66zsq7xw@two.example",
        "SRS1=HHH=one.example=+HHH=TT=bounces.example.com=r1.spring-2026.h76gzqgp4byjl6."
        "cowknn5rzmmd66zsq7xw@two.example",
        "SRS0=HHH=TT=bounces.example.com=prvs=4711abcdef=r1.spring-2026.h76gzqgp4byjl6."
        "cowknn5rzmmd66zsq7xw@forwarder.example",
        "prvs=0123456789=SRS0=HHH=TT=bounces.example.com=r1.spring-2026.h76gzqgp4byjl6."
        "cowknn5rzmmd66zsq7xw@forwarder.example",
        "bounces+SRS=44ldt=IX=bounces.example.com=r1.spring-2026.h76gzqgp4byjl6."
        "cowknn5rzmmd66zsq7xw@exchange.example",
    };
    struct return_path_keys keys = two_keys();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct return_path path;

        return_path_verify(&keys, dsnd_str_of(rows[i]), nov_23, DAYS(60), &path);
        assert_int_equal(path.verdict, RETURN_PATH_SIGNED);
        assert_string_equal(path.campaign, "spring-2026");
        assert_string_equal(path.ref, "h76gzqgp4byjl6");
        assert_string_equal(path.domain, "bounces.example.com");
    }
}

static void verify_refuses_what_no_key_of_ours_made(void **state)
{
    static const struct {
        const char *address;
        enum return_path_verdict verdict;
    } rows[] = {
        {"r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xa@bounces.example.com",
         RETURN_PATH_FORGED},
        {"r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw@other.example", RETURN_PATH_FORGED},
        {"r1.sprong-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw@bounces.example.com",
         RETURN_PATH_FORGED},
        {"r1.spring-2026.h76gzqgp4byjl6.cow9nn5rzmmd66zsq7xw@bounces.example.com",
         RETURN_PATH_FORGED},
        {"r1.spring-2026.h76gzqgp4byjl7.cowknn5rzmmd66zsq7xw@bounces.example.com",
         RETURN_PATH_FORGED},
        {"r1.spring-2026.h76gzqgp4byjl6.covknn5rzmmd66zsq7xw@bounces.example.com",
         RETURN_PATH_FORGED},
        {"", RETURN_PATH_NONE},
        {"@", RETURN_PATH_NONE},
        {"@bounces.example.com", RETURN_PATH_NONE},
        {"postmaster", RETURN_PATH_NONE},
        {"postmaster@bounces.example.com", RETURN_PATH_NONE},
        {"r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw", RETURN_PATH_NONE},
        {"r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw@", RETURN_PATH_NONE},
        {"r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw@.example.com", RETURN_PATH_NONE},
        {"r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw@bounces.example.com.",
         RETURN_PATH_NONE},
        {"r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw@bounces..example.com",
         RETURN_PATH_NONE},
        {"r2.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw@bounces.example.com",
         RETURN_PATH_NONE},
        {"r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7x@bounces.example.com", RETURN_PATH_NONE},
        {"r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7xww@bounces.example.com",
         RETURN_PATH_NONE},
        {"r1.spring-2026.h76gzqgp4byjl6.cowknn5rzmmd66zsq7x1@bounces.example.com",
         RETURN_PATH_NONE},
        {"r1..h76gzqgp4byjl6.cowknn5rzmmd66zsq7xw@bounces.example.com", RETURN_PATH_NONE},
        {"r1.spring-2026..cowknn5rzmmd66zsq7xw@bounces.example.com", RETURN_PATH_NONE},
        {"r1.a-campaign-of-21-chars.u.cowknn5rzmmd66zsq7xw@bounces.example.com", RETURN_PATH_NONE},
        {"r1.spring-2026.ref_of_17_chars__.cowknn5rzmmd66zsq7xw@bounces.example.com",
         RETURN_PATH_NONE},
        {"r1.spring+2026.u.cowknn5rzmmd66zsq7xw@bounces.example.com", RETURN_PATH_NONE},
        {"SRS0=HHH=TT=bounces.example.com@forwarder.example", RETURN_PATH_NONE},
        {"SRS0=@forwarder.example", RETURN_PATH_NONE},
        {"SRS0@forwarder.example", RETURN_PATH_NONE},
        {"SRS1=HHH=one.example=@two.example", RETURN_PATH_NONE},
        {"prvs=@bounces.example.com", RETURN_PATH_NONE},
        {"prvs==@bounces.example.com", RETURN_PATH_NONE},
    };
    struct return_path_keys keys = two_keys();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct return_path path;

        return_path_verify(&keys, dsnd_str_of(rows[i].address), nov_23, DAYS(60), &path);
        assert_int_equal(path.verdict, rows[i].verdict);
        if (rows[i].verdict == RETURN_PATH_NONE)
            assert_string_equal(path.campaign, "");
    }
}

static void verify_without_keys_believes_nothing(void **state)
{
    static const struct return_path_keys none;
    struct return_path path;

    (void)state;
    return_path_verify(&none, dsnd_str_of(spring), nov_23, DAYS(60), &path);
    assert_int_equal(path.verdict, RETURN_PATH_FORGED);
    return_path_verify(&none, DSND_STR_ABSENT, nov_23, DAYS(60), &path);
    assert_int_equal(path.verdict, RETURN_PATH_NONE);
}

static void age_is_limited_on_both_sides(void **state)
{
    static const struct {
        int64_t later_us;
        enum return_path_verdict verdict;
    } rows[] = {
        {0, RETURN_PATH_SIGNED},
        {DAYS(59), RETURN_PATH_SIGNED},
        {DAYS(60), RETURN_PATH_SIGNED},
        {DAYS(60) + DAY_US / 2 - 1, RETURN_PATH_SIGNED},
        {DAYS(60) + DAY_US / 2, RETURN_PATH_EXPIRED},
        {DAYS(400), RETURN_PATH_EXPIRED},
        {-DAYS(1), RETURN_PATH_SIGNED},
        {-DAYS(1) - DAY_US / 2, RETURN_PATH_SIGNED},
        {-DAYS(1) - DAY_US / 2 - 1, RETURN_PATH_EXPIRED},
        {-DAYS(30), RETURN_PATH_EXPIRED},
        {-DAYS(30000), RETURN_PATH_EXPIRED},
    };
    struct return_path_keys keys = two_keys();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct return_path path;

        return_path_verify(&keys, dsnd_str_of(spring), nov_23 + rows[i].later_us, DAYS(60), &path);
        assert_int_equal(path.verdict, rows[i].verdict);
        assert_string_equal(path.campaign, "spring-2026");
        if (path.verdict == RETURN_PATH_EXPIRED)
            assert_false(return_path_proves(&path, DSND_STR("alice@example.com")));
    }
}

static void an_age_below_a_day_ends_with_the_next_day(void **state)
{
    struct return_path_keys keys = two_keys();
    struct return_path path;

    (void)state;
    return_path_verify(&keys, dsnd_str_of(spring), nov_23 + DAYS(1), DAY_US / 24, &path);
    assert_int_equal(path.verdict, RETURN_PATH_SIGNED);
    return_path_verify(&keys, dsnd_str_of(spring), nov_23 + DAYS(2), DAY_US / 24, &path);
    assert_int_equal(path.verdict, RETURN_PATH_EXPIRED);
}

static void mint_refuses_what_breaks_the_grammar(void **state)
{
    static const char domain_256[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static const struct {
        const char *campaign, *recipient, *ref, *domain;
        int64_t now_us;
        enum dsnd_err err;
    } rows[] = {
        {"c", "a@b.example", NULL, "b.example", INT64_C(1795435200000000), DSND_OK},
        {"", "a@b.example", NULL, "b.example", INT64_C(1795435200000000), DSND_ERR_SYNTAX},
        {"C", "a@b.example", NULL, "b.example", INT64_C(1795435200000000), DSND_ERR_SYNTAX},
        {"a.b", "a@b.example", NULL, "b.example", INT64_C(1795435200000000), DSND_ERR_SYNTAX},
        {"a-campaign-of-21-char", "a@b.example", NULL, "b.example", INT64_C(1795435200000000),
         DSND_ERR_SYNTAX},
        {"c", "", NULL, "b.example", INT64_C(1795435200000000), DSND_ERR_SYNTAX},
        {"c", NULL, NULL, "b.example", INT64_C(1795435200000000), DSND_ERR_SYNTAX},
        {"c", NULL, "u", "b.example", INT64_C(1795435200000000), DSND_OK},
        {"c", NULL, "", "b.example", INT64_C(1795435200000000), DSND_ERR_SYNTAX},
        {"c", NULL, "U", "b.example", INT64_C(1795435200000000), DSND_ERR_SYNTAX},
        {"c", NULL, "ref_of_17_chars__", "b.example", INT64_C(1795435200000000), DSND_ERR_SYNTAX},
        {"c", NULL, "h76gzqgp4byjl6", "b.example", INT64_C(1795435200000000), DSND_ERR_CONFLICT},
        {"c", NULL, "h76gzqgp4byjl", "b.example", INT64_C(1795435200000000), DSND_OK},
        {"c", NULL, "h76gzqgp4byjl61", "b.example", INT64_C(1795435200000000), DSND_ERR_CONFLICT},
        {"c", NULL, "h76gzqgp4byjl6_x", "b.example", INT64_C(1795435200000000), DSND_ERR_CONFLICT},
        {"c", NULL, "h76gzqgp4byjl1", "b.example", INT64_C(1795435200000000), DSND_OK},
        {"c", NULL, "u", "", INT64_C(1795435200000000), DSND_ERR_SYNTAX},
        {"c", NULL, "u", "b_c.example", INT64_C(1795435200000000), DSND_ERR_SYNTAX},
        {"c", NULL, "u", "b..example", INT64_C(1795435200000000), DSND_ERR_SYNTAX},
        {"c", NULL, "u", domain_256, INT64_C(1795435200000000), DSND_ERR_LIMIT},
        {"c", NULL, "u", "b.example", INT64_C(1577836799999999), DSND_ERR_LIMIT},
        {"c", NULL, "u", "b.example", -1, DSND_ERR_LIMIT},
        {"c", NULL, "u", "b.example", INT64_C(1577836800000000) + DAYS(32768) - 1, DSND_OK},
        {"c", NULL, "u", "b.example", INT64_C(1577836800000000) + DAYS(32768), DSND_ERR_LIMIT},
    };
    struct return_path_keys keys = two_keys();
    static const struct return_path_keys none;
    char address[RETURN_PATH_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(
            return_path_mint(&keys,
                             &(struct return_path_request){
                                 dsnd_str_of(rows[i].campaign), dsnd_str_of(rows[i].recipient),
                                 dsnd_str_of(rows[i].ref), dsnd_str_of(rows[i].domain)},
                             rows[i].now_us, address),
            rows[i].err);
    assert_int_equal(
        return_path_mint(&none,
                         &(struct return_path_request){DSND_STR("c"), DSND_STR("a@b.example"),
                                                       DSND_STR_ABSENT, DSND_STR("b.example")},
                         nov_23, address),
        DSND_ERR_REFUSED);
}

static void every_minted_address_verifies_and_fits(void **state)
{
    struct return_path_keys keys = two_keys();
    char domain[256];
    char address[RETURN_PATH_SIZE];
    struct return_path path;

    (void)state;
    memset(domain, 'a', 255);
    domain[255] = '\0';
    assert_int_equal(return_path_mint(&keys,
                                      &(struct return_path_request){
                                          DSND_STR("a-campaign-of-20-chr"), DSND_STR("a@b.example"),
                                          DSND_STR("ref_of_16_chars_"), dsnd_str_of(domain)},
                                      nov_23, address),
                     DSND_OK);
    assert_true(strcspn(address, "@") <= RETURN_PATH_LOCAL_MAX);
    return_path_verify(&keys, dsnd_str_of(address), nov_23, DAYS(60), &path);
    assert_int_equal(path.verdict, RETURN_PATH_SIGNED);
    /* Each octet of the address counts. */
    for (size_t i = 0; address[i]; i++) {
        char kept = address[i];

        address[i] = kept == 'b' ? 'c' : 'b';
        return_path_verify(&keys, dsnd_str_of(address), nov_23, DAYS(60), &path);
        assert_int_not_equal(path.verdict, RETURN_PATH_SIGNED);
        address[i] = kept;
    }
}

static void default_ref_is_refused_for_addresses_beyond_a_limit(void **state)
{
    char ref[RETURN_PATH_REF_MAX + 1];
    char address[1025];

    (void)state;
    memset(address, 'a', sizeof(address));
    assert_int_equal(return_path_default_ref(dsnd_str_make(address, 1024), ref), DSND_OK);
    assert_int_equal(return_path_default_ref(dsnd_str_make(address, 1025), ref), DSND_ERR_LIMIT);
    assert_int_equal(return_path_default_ref(DSND_STR_ABSENT, ref), DSND_ERR_SYNTAX);
}

static void wrapping_ends_after_eight_layers(void **state)
{
    static const char prvs[] = "prvs=x=";
    struct return_path_keys keys = two_keys();
    char address[512];
    struct return_path path;

    (void)state;
    for (size_t layers = 7; layers <= 9; layers++) {
        size_t len = 0;

        for (size_t i = 0; i < layers; i++, len += sizeof(prvs) - 1)
            memcpy(address + len, prvs, sizeof(prvs));
        memcpy(address + len, spring, sizeof(spring));
        return_path_verify(&keys, dsnd_str_of(address), nov_23, DAYS(60), &path);
        assert_int_equal(path.verdict, layers <= 8 ? RETURN_PATH_SIGNED : RETURN_PATH_NONE);
    }
}

static void keys_file_errors_name_line_and_what_is_allowed(void **state)
{
#define HEX64 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    static const struct {
        const char *text;
        enum dsnd_err err;
        const char *says;
    } rows[] = {
        {"k " HEX64, DSND_OK, ""},
        {"k\t" HEX64 "\r\n#", DSND_OK, ""},
        {"", DSND_ERR_SYNTAX, "no key in it"},
        {"# nothing\n", DSND_ERR_SYNTAX, "no key in it"},
        {"k", DSND_ERR_SYNTAX, "line 1: no key"},
        {"\nkk " HEX64, DSND_ERR_SYNTAX, "line 2: no key"},
        {"K " HEX64, DSND_ERR_SYNTAX, "line 1: bad key id"},
        {"- " HEX64, DSND_ERR_SYNTAX, "line 1: bad key id"},
        {"k " HEX64 "0", DSND_ERR_SYNTAX, "line 1: bad key"},
        {"k 0001", DSND_ERR_SYNTAX, "line 1: bad key"},
        {"k " HEX64 " x", DSND_ERR_SYNTAX, "line 1: bad key"},
        {"k g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", DSND_ERR_SYNTAX,
         "line 1: bad key"},
        {"k " HEX64 "\nk " HEX64, DSND_ERR_SYNTAX, "line 2: key id used twice"},
        {"a " HEX64 "\nb " HEX64 "\nc " HEX64 "\nd " HEX64 "\ne " HEX64 "\nf " HEX64 "\ng " HEX64
         "\nh " HEX64 "\ni " HEX64 "\nj " HEX64 "\nk " HEX64 "\nl " HEX64 "\nm " HEX64 "\nn " HEX64
         "\no " HEX64 "\np " HEX64 "\nq " HEX64,
         DSND_ERR_LIMIT, "line 17: more than 16 keys"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct return_path_keys keys;
        char error[200] = "";

        assert_int_equal(
            return_path_keys_read(dsnd_str_of(rows[i].text), error, sizeof(error), &keys),
            rows[i].err);
        assert_memory_equal(error, rows[i].says, strlen(rows[i].says));
        if (rows[i].err == DSND_ERR_SYNTAX)
            assert_non_null(strstr(error, "64 hex digits"));
    }
}

static void base32_is_that_of_the_rfc(void **state)
{
    static const struct {
        const char *octets;
        size_t chars;
        const char *text;
    } rows[] = {/* RFC 4648 section 10, without padding */
                {"f", 2, "my"},         {"fo", 4, "mzxq"},        {"foo", 5, "mzxw6"},
                {"foob", 7, "mzxw6yq"}, {"fooba", 8, "mzxw6ytb"}, {"foobar", 10, "mzxw6ytboi"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned char octets[8] = {0};
        char text[16] = "";

        memcpy(octets, rows[i].octets, strlen(rows[i].octets));
        base32_encode(octets, rows[i].chars, text);
        assert_string_equal(text, rows[i].text);
    }
    for (int c = 0; c < 256; c++) {
        int value = base32_value((char)c);

        if (value >= 0)
            assert_int_equal(base32_char((uint32_t)value), c);
    }
}

static void hmac_is_that_of_the_rfc(void **state)
{
    /* RFC 4231 section 4.3. */
    static const unsigned char want[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e};
    unsigned char digest[DIGEST_OCTETS];

    (void)state;
    assert_int_equal(
        digest_hmac_sha256(DSND_STR("Jefe"), DSND_STR("what do ya want for nothing?"), digest),
        DSND_OK);
    assert_memory_equal(digest, want, sizeof(want));
    assert_true(digest_equal(digest, want, sizeof(want)));
    assert_false(digest_equal(digest, digest + 1, sizeof(want)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mint_gives_the_published_vectors),
        cmocka_unit_test(verify_takes_the_published_vectors),
        cmocka_unit_test(verify_takes_off_what_hosts_put_around),
        cmocka_unit_test(verify_refuses_what_no_key_of_ours_made),
        cmocka_unit_test(verify_without_keys_believes_nothing),
        cmocka_unit_test(age_is_limited_on_both_sides),
        cmocka_unit_test(an_age_below_a_day_ends_with_the_next_day),
        cmocka_unit_test(mint_refuses_what_breaks_the_grammar),
        cmocka_unit_test(every_minted_address_verifies_and_fits),
        cmocka_unit_test(default_ref_is_refused_for_addresses_beyond_a_limit),
        cmocka_unit_test(wrapping_ends_after_eight_layers),
        cmocka_unit_test(keys_file_errors_name_line_and_what_is_allowed),
        cmocka_unit_test(base32_is_that_of_the_rfc),
        cmocka_unit_test(hmac_is_that_of_the_rfc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
