/* One POST: what counts as taken, and which addresses are never reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hook/post.h"
#include "hook/signature.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OLD_SECRET "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* An endpoint that says the same to everybody. */
struct endpoint {
    int listener;
    int port;
    const char *answer;
    size_t more; /* octets of noise behind it */
    bool silent; /* says nothing more, and does not close */
    char request[8192];
    atomic_int connections;
    pthread_t thread;
};

static void answer_one(struct endpoint *self, int fd)
{
    static const char noise[1024];
    ssize_t n = recv(fd, self->request, sizeof(self->request) - 1, 0);

    self->request[n > 0 ? n : 0] = '\0';
    (void)!write(fd, self->answer, strlen(self->answer));
    for (size_t sent = 0; sent < self->more; sent += sizeof(noise))
        if (write(fd, noise, sizeof(noise)) < 0)
            break;
    if (self->silent)
        (void)recv(fd, self->request + sizeof(self->request) - 1, 1, 0); /* until it gives up */
}

static void *serve(void *context)
{
    struct endpoint *self = context;
    int fd;

    while ((fd = accept(self->listener, NULL, NULL)) >= 0) {
        self->connections++;
        answer_one(self, fd);
        close(fd);
    }
    return NULL;
}

static void endpoint_start(struct endpoint *self)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    self->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(self->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(self->listener, 5), 0);
    assert_int_equal(getsockname(self->listener, (struct sockaddr *)&address, &len), 0);
    self->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&self->thread, NULL, serve, self), 0);
}

static void endpoint_end(struct endpoint *self)
{
    (void)shutdown(self->listener, SHUT_RDWR);
    (void)pthread_join(self->thread, NULL);
    close(self->listener);
}

static bool post(const struct hook_settings *settings, const char *url, struct dsnd_str old_secret,
                 struct hook_answer *ret_answer)
{
    const struct hook_message message = {.url = url,
                                         .secret = DSND_STR(SECRET),
                                         .old_secret = old_secret,
                                         .id = "msg_1",
                                         .timestamp = 1614265330,
                                         .body = DSND_STR("{\"events\":[]}")};
    struct hook_poster *poster = hook_poster_new(settings);
    bool taken;

    assert_non_null(poster);
    taken = hook_post(poster, &message, NULL, ret_answer);
    hook_poster_free(poster);
    return taken;
}

/* ---- the resolver of this program, which libcurl asks: names below "test" change ---- */

static atomic_int asked;
static const char *const *resolved; /* what each question is answered with, ended by NULL */

/* Under the names the linker knows: the C names are declared with other parameters. */
int test_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                     struct addrinfo **ret_list) __asm__("getaddrinfo");
void test_freeaddrinfo(struct addrinfo *list) __asm__("freeaddrinfo");

int test_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                     struct addrinfo **ret_list)
{
    struct addrinfo *info = calloc(1, sizeof(*info) + sizeof(struct sockaddr_in6));
    struct sockaddr_in *v4 = (struct sockaddr_in *)(info + 1);
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(info + 1);
    int n = asked++;
    const char *text = resolved ? resolved[n] : node;

    (void)hints;
    if (resolved && !resolved[n + 1])
        asked = n; /* the last answer stays */
    info->ai_socktype = SOCK_STREAM;
    info->ai_protocol = IPPROTO_TCP;
    info->ai_addr = (struct sockaddr *)v4;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        info->ai_family = v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)strtol(service, NULL, 10));
        info->ai_addrlen = sizeof(*v4);
    } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        info->ai_family = v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)strtol(service, NULL, 10));
        info->ai_addrlen = sizeof(*v6);
    } else {
        free(info);
        return EAI_NONAME;
    }
    *ret_list = info;
    return 0;
}

void test_freeaddrinfo(struct addrinfo *list)
{
    free(list);
}

/* ---- tests ---- */

#define SETTINGS(private)                                                 \
    &(const struct hook_settings)                                         \
    {                                                                     \
        .allow_private = (private), .allow_http = true, .timeout_ms = 700 \
    }

static void only_an_answer_of_2xx_is_taken(void **state)
{
    static const struct {
        const char *answer;
        size_t more;
        bool silent;
        bool taken;
        int status;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, false, true, 200},
        {"HTTP/1.1 204 No Content\r\n\r\n", 0, false, true, 204},
        {"HTTP/1.1 200 OK\r\n\r\n", 1 << 20, false, true, 200},
        {"HTTP/1.1 500 Oh\r\n\r\n", 1 << 20, false, false, 500},
        {"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", 0, false, false, 410},
        {"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", 0, false, false, 429},
        {"HTTP/1.1 302 There\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 0, false, false, 302},
        {"HTTP/1.1 307 There\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 0, false, false, 307},
        {"", 0, false, false, 0},
        {"", 0, true, false, 0},
        {"HTTP/1.1 200 OK\r\nX: ", 0, true, false, 200},
        {"220 mx.example.net ESMTP\r\n", 0, false, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct endpoint endpoint = {
            .answer = rows[i].answer, .more = rows[i].more, .silent = rows[i].silent};
        struct hook_answer answer;
        char url[64];

        endpoint_start(&endpoint);
        assert_true(snprintf(url, sizeof(url), "http://127.0.0.1:%d/", endpoint.port) > 0);
        if (post(SETTINGS(true), url, DSND_STR_ABSENT, &answer) != rows[i].taken ||
            answer.status != rows[i].status)
            fail_msg("row %zu: status %d, %s", i, answer.status, answer.reason);
        assert_int_equal(answer.reason[0] == '\0', rows[i].taken);
        endpoint_end(&endpoint);
        assert_int_equal(endpoint.connections, 1); /* no redirect is followed */
    }
}

static void both_secrets_sign_while_one_follows_the_other(void **state)
{
    struct endpoint endpoint = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    struct hook_answer answer;
    char fresh[HOOK_SIGNATURE_SIZE];
    char old[HOOK_SIGNATURE_SIZE];
    char wanted[256];
    char url[64];

    (void)state;
    endpoint_start(&endpoint);
    assert_int_equal(hook_sign(DSND_STR(SECRET), DSND_STR("msg_1"), 1614265330,
                               DSND_STR("{\"events\":[]}"), fresh),
                     DSND_OK);
    assert_int_equal(hook_sign(DSND_STR(OLD_SECRET), DSND_STR("msg_1"), 1614265330,
                               DSND_STR("{\"events\":[]}"), old),
                     DSND_OK);
    assert_true(snprintf(url, sizeof(url), "http://127.0.0.1:%d/", endpoint.port) > 0);
    assert_true(post(SETTINGS(true), url, DSND_STR_ABSENT, &answer));
    assert_true(snprintf(wanted, sizeof(wanted), "webhook-signature: %s\r\n", fresh) > 0);
    assert_non_null(strstr(endpoint.request, wanted));
    assert_true(post(SETTINGS(true), url, DSND_STR(OLD_SECRET), &answer));
    assert_true(snprintf(wanted, sizeof(wanted), "webhook-signature: %s %s\r\n", fresh, old) > 0);
    assert_non_null(strstr(endpoint.request, wanted));
    assert_non_null(strstr(endpoint.request, "webhook-id: msg_1\r\n"));
    assert_non_null(strstr(endpoint.request, "webhook-timestamp: 1614265330\r\n"));
    endpoint_end(&endpoint);
}

/* Every way to write the address of this machine. */
static void no_private_address_is_reached_however_it_is_written(void **state)
{
    static const char *const hosts[] = {
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "0",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::1]",
        "[::]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
    };
    struct endpoint endpoint = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};

    (void)state;
    endpoint_start(&endpoint);
    resolved = NULL;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
        struct hook_answer answer;
        char url[128];

        assert_true(snprintf(url, sizeof(url), "http://%s:%d/", hosts[i], endpoint.port) > 0);
        if (post(SETTINGS(false), url, DSND_STR_ABSENT, &answer) ||
            !strstr(answer.reason, "public"))
            fail_msg("%s: %d %s", hosts[i], answer.status, answer.reason);
    }
    assert_int_equal(endpoint.connections, 0);
    endpoint_end(&endpoint);
}

/* A name that was public when somebody looked, and leads here when it is connected to. */
static void a_name_that_turns_private_is_refused_each_time(void **state)
{
    static const char *const answers[] = {"127.0.0.1", "::ffff:127.0.0.1", "127.0.0.1", NULL};
    struct endpoint endpoint = {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    struct hook_answer answer;
    char url[64];

    (void)state;
    endpoint_start(&endpoint);
    resolved = answers;
    asked = 0;
    assert_true(snprintf(url, sizeof(url), "http://rebinds.test:%d/", endpoint.port) > 0);
    for (int i = 0; i < 3; i++) {
        assert_false(post(SETTINGS(false), url, DSND_STR_ABSENT, &answer));
        assert_non_null(strstr(answer.reason, "not public"));
    }
    assert_int_equal(endpoint.connections, 0);
    /* The same name, where it may. */
    assert_true(post(SETTINGS(true), url, DSND_STR_ABSENT, &answer));
    assert_int_equal(endpoint.connections, 1);
    resolved = NULL;
    endpoint_end(&endpoint);
}

static void what_is_no_https_is_refused_unless_allowed(void **state)
{
    static const char *const urls[] = {"http://127.0.0.1:9/", "file:///etc/passwd",
                                       "gopher://127.0.0.1:9/", "ftp://127.0.0.1/", "x"};
    struct hook_settings settings = {.allow_private = true, .timeout_ms = 700};

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        struct hook_answer answer;

        settings.allow_http = i > 0;
        assert_false(post(&settings, urls[i], DSND_STR_ABSENT, &answer));
        assert_int_equal(answer.status, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_an_answer_of_2xx_is_taken),
        cmocka_unit_test(both_secrets_sign_while_one_follows_the_other),
        cmocka_unit_test(no_private_address_is_reached_however_it_is_written),
        cmocka_unit_test(a_name_that_turns_private_is_refused_each_time),
        cmocka_unit_test(what_is_no_https_is_refused_unless_allowed),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(hook_global_init(), DSND_OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
