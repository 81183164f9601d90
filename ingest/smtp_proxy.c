#include "ingest/smtp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>

enum {
    V1_MAX = 107, /* octets of a version 1 line, CR LF included */
    V2_FIXED = 16,
};

static const unsigned char v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* ---- networks ---- */

static enum dsnd_err parse_network(struct dsnd_str text, unsigned char ret_octets[16],
                                   unsigned *ret_bits)
{
    struct dsnd_str bits_text = text;
    struct dsnd_str host = dsnd_str_cut(&bits_text, '/');
    char host_text[64];
    unsigned offset = 0;
    uint64_t bits = 128;

    if (dsnd_str_copy(host, host_text, sizeof(host_text)))
        return DSND_ERR_SYNTAX;
    if (inet_pton(AF_INET, host_text, ret_octets + 12) == 1) {
        memcpy(ret_octets, v4_mapped, sizeof(v4_mapped));
        offset = 96;
        bits = 32;
    } else if (inet_pton(AF_INET6, host_text, ret_octets) != 1) {
        return DSND_ERR_SYNTAX;
    }
    if (dsnd_str_present(bits_text) && dsnd_str_to_u64(bits_text, bits, &bits))
        return DSND_ERR_SYNTAX;
    *ret_bits = (unsigned)bits + offset;
    return DSND_OK;
}

enum dsnd_err smtp_networks_parse(const char *text, char *error, size_t error_size,
                                  struct smtp_networks *ret_networks)
{
    struct dsnd_str rest = dsnd_str_of(text ? text : "");

    ret_networks->count = 0;
    while (dsnd_str_present(rest)) {
        struct dsnd_str one = dsnd_str_trim(dsnd_str_cut(&rest, ','));
        size_t i = ret_networks->count;

        if (!one.len)
            continue;
        if (i == SMTP_NETWORKS_MAX) {
            (void)snprintf(error, error_size, "more than %d networks", SMTP_NETWORKS_MAX);
            return DSND_ERR_LIMIT;
        }
        if (parse_network(one, ret_networks->at[i].octets, &ret_networks->at[i].bits)) {
            (void)snprintf(error, error_size,
                           "\"%.*s\" is no network: an IP address is allowed, and /bits behind it",
                           DSND_STR_ARG(one));
            return DSND_ERR_SYNTAX;
        }
        ret_networks->count++;
    }
    return DSND_OK;
}

static bool to_octets(const struct sockaddr *address, unsigned char ret_octets[16])
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;

    if (address->sa_family == AF_INET) {
        memcpy(ret_octets, v4_mapped, sizeof(v4_mapped));
        memcpy(ret_octets + 12, &in->sin_addr, 4);
        return true;
    }
    if (address->sa_family == AF_INET6)
        memcpy(ret_octets, &in6->sin6_addr, 16);
    return address->sa_family == AF_INET6;
}

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned rest = bits % 8;

    if (memcmp(a, b, bits / 8) != 0)
        return false;
    return !rest || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0;
}

bool smtp_networks_hold(const struct smtp_networks *self, const struct sockaddr *address)
{
    unsigned char octets[16];

    if (!self->count || !to_octets(address, octets))
        return false;
    for (size_t i = 0; i < self->count; i++)
        if (same_bits(octets, self->at[i].octets, self->at[i].bits))
            return true;
    return false;
}

/* ---- headers ---- */

static void set_client(int family, const void *octets, const void *port,
                       struct sockaddr_storage *ret_client)
{
    struct sockaddr_in *in = (struct sockaddr_in *)ret_client;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_client;

    memset(ret_client, 0, sizeof(*ret_client));
    ret_client->ss_family = (sa_family_t)family;
    if (family == AF_INET) {
        memcpy(&in->sin_addr, octets, 4);
        memcpy(&in->sin_port, port, 2);
    } else {
        memcpy(&in6->sin6_addr, octets, 16);
        memcpy(&in6->sin6_port, port, 2);
    }
}

static bool is_port(struct dsnd_str text, uint16_t *ret_port)
{
    uint64_t port;

    /* "No leading zero", says the specification. */
    if (text.len > 1 && text.ptr[0] == '0')
        return false;
    if (dsnd_str_to_u64(text, UINT16_MAX, &port))
        return false;
    *ret_port = htons((uint16_t)port);
    return true;
}

/* "TCP4 client server port port" without CR LF. */
static enum dsnd_err parse_v1_line(struct dsnd_str line, struct sockaddr_storage *ret_client)
{
    struct dsnd_str protocol = dsnd_str_cut(&line, ' ');
    int family = dsnd_str_eq(protocol, DSND_STR("TCP6")) ? AF_INET6 : AF_INET;
    unsigned char client[16];
    unsigned char server[16];
    char client_text[64];
    char server_text[64];
    uint16_t port;
    uint16_t ignored;

    if (dsnd_str_eq(protocol, DSND_STR("UNKNOWN"))) {
        ret_client->ss_family = AF_UNSPEC;
        return DSND_OK;
    }
    if (family == AF_INET && !dsnd_str_eq(protocol, DSND_STR("TCP4")))
        return DSND_ERR_SYNTAX;
    if (dsnd_str_copy(dsnd_str_cut(&line, ' '), client_text, sizeof(client_text)) ||
        dsnd_str_copy(dsnd_str_cut(&line, ' '), server_text, sizeof(server_text)) ||
        inet_pton(family, client_text, client) != 1 || inet_pton(family, server_text, server) != 1)
        return DSND_ERR_SYNTAX;
    if (!is_port(dsnd_str_cut(&line, ' '), &port) || !is_port(line, &ignored))
        return DSND_ERR_SYNTAX;
    set_client(family, client, &port, ret_client);
    return DSND_OK;
}

static enum dsnd_err parse_v1(struct dsnd_str in, size_t *ret_len,
                              struct sockaddr_storage *ret_client)
{
    static const struct dsnd_str start = DSND_STR_INIT("PROXY ");
    size_t lf = dsnd_str_chr(in, '\n');
    enum dsnd_err err;

    if (!dsnd_str_starts(in, dsnd_str_slice(start, 0, in.len)))
        return DSND_ERR_SYNTAX;
    if (lf == SIZE_MAX)
        return in.len < V1_MAX ? DSND_ERR_UNAVAILABLE : DSND_ERR_SYNTAX;
    if (lf >= V1_MAX || lf < start.len || in.ptr[lf - 1] != '\r')
        return DSND_ERR_SYNTAX;
    err = parse_v1_line(dsnd_str_slice(in, start.len, lf - 1), ret_client);
    if (!err)
        *ret_len = lf + 1;
    return err;
}

/* What version 2 says behind its first 12 octets. */
static enum dsnd_err parse_v2(struct dsnd_str in, size_t *ret_len,
                              struct sockaddr_storage *ret_client)
{
    const unsigned char *p = (const unsigned char *)in.ptr;
    size_t rest;

    if (in.len < V2_FIXED)
        return DSND_ERR_UNAVAILABLE;
    rest = (size_t)p[14] << 8 | p[15];
    if (p[12] >> 4 != 2 || (p[12] & 15) > 1)
        return DSND_ERR_SYNTAX;
    if (rest > SMTP_PROXY_HEADER_MAX - V2_FIXED)
        return DSND_ERR_LIMIT;
    if (in.len < V2_FIXED + rest)
        return DSND_ERR_UNAVAILABLE;
    ret_client->ss_family = AF_UNSPEC;
    if ((p[12] & 15) == 1) {
        if (p[13] == 0x11 && rest >= 12)
            set_client(AF_INET, p + 16, p + 24, ret_client);
        else if (p[13] == 0x21 && rest >= 36)
            set_client(AF_INET6, p + 16, p + 48, ret_client);
        else if (p[13] > 2) /* not "unknown", by a stream or by datagrams */
            return DSND_ERR_SYNTAX;
    }
    *ret_len = V2_FIXED + rest;
    return DSND_OK;
}

enum dsnd_err smtp_proxy_parse(struct dsnd_str in, size_t *ret_len,
                               struct sockaddr_storage *ret_client)
{
    static const struct dsnd_str signature = DSND_STR_INIT("\r\n\r\n\0\r\nQUIT\n");

    if (!in.len)
        return DSND_ERR_UNAVAILABLE;
    if (in.ptr[0] != '\r')
        return parse_v1(in, ret_len, ret_client);
    if (!dsnd_str_starts(in, dsnd_str_slice(signature, 0, in.len)))
        return DSND_ERR_SYNTAX;
    return parse_v2(in, ret_len, ret_client);
}
