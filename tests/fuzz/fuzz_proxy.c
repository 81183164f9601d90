/*
 * PROXY headers and lists of networks. Properties: a header that is taken is no longer than what is
 * there and no shorter than its fixed part; what stands behind it changes nothing; a header in
 * pieces is awaited, octet by octet, and then says the same; a network is refused with words.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/smtp_listen.h"
#include "ingest/smtp_proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static void check_client(const struct sockaddr_storage *client)
{
    char text[SMTP_LISTEN_TEXT_SIZE];

    require(client->ss_family == AF_UNSPEC || client->ss_family == AF_INET ||
            client->ss_family == AF_INET6);
    if (client->ss_family == AF_UNSPEC)
        return;
    smtp_listen_text((const struct sockaddr *)client, text);
    require(text[0] != '\0' && memchr(text, '\0', sizeof(text)));
}

static void check_header(struct dsnd_str in)
{
    struct sockaddr_storage whole = {0};
    struct sockaddr_storage again = {0};
    size_t len = 0;
    size_t len_again = 0;
    enum dsnd_err err = smtp_proxy_parse(in, &len, &whole);

    if (err) {
        require(err == DSND_ERR_UNAVAILABLE || err == DSND_ERR_SYNTAX || err == DSND_ERR_LIMIT);
        require(err != DSND_ERR_UNAVAILABLE || in.len < SMTP_PROXY_HEADER_MAX);
        return;
    }
    require(len >= 15 && len <= in.len && len <= SMTP_PROXY_HEADER_MAX);
    check_client(&whole);
    for (size_t i = 0; i < len; i++)
        require(smtp_proxy_parse(dsnd_str_slice(in, 0, i), &len_again, &again) ==
                DSND_ERR_UNAVAILABLE);
    require(smtp_proxy_parse(dsnd_str_slice(in, 0, len), &len_again, &again) == DSND_OK);
    require(len_again == len && memcmp(&whole, &again, sizeof(whole)) == 0);
}

static void check_networks(struct dsnd_str in)
{
    struct sockaddr_in6 someone = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct smtp_networks networks;
    char error[300] = "";
    char *text = strndup(in.ptr, in.len);
    enum dsnd_err err;

    require(text);
    err = smtp_networks_parse(text, error, sizeof(error), &networks);
    require(err ? error[0] != '\0' : networks.count <= SMTP_NETWORKS_MAX);
    if (!err)
        (void)smtp_networks_hold(&networks, (const struct sockaddr *)&someone);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dsnd_str in = dsnd_str_make((const char *)data, size);

    if (size == 0)
        return 0;
    check_header(in);
    check_networks(in);
    return 0;
}
